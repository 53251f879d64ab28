// Package metrics is what we count, under which names, and the page that Prometheus reads.
//
// Rooms count for themselves, with atomics and Stats methods, and have not heard of Prometheus. Whoever
// joins them (cmd/pushcart) gives a Registry a function that reads those counts when the page is asked
// for, so that a scrape costs what it costs and a frame costs nothing. To count another thing, add a
// Metric to names.go and report it from there.
package metrics

import (
	"net/http"
	"sync"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/collectors"
	"github.com/prometheus/client_golang/prometheus/promhttp"
)

// Metric is one thing that is counted: a name, its help and its labels.
type Metric struct {
	desc *prometheus.Desc
	kind prometheus.ValueType
}

// all is every Metric there is.
var all []*Metric

func counter(name, help string, labels ...string) *Metric {
	return add(name, help, prometheus.CounterValue, labels)
}

func gauge(name, help string, labels ...string) *Metric {
	return add(name, help, prometheus.GaugeValue, labels)
}

func add(name, help string, kind prometheus.ValueType, labels []string) *Metric {
	m := &Metric{prometheus.NewDesc("pushcart_"+name, help, labels, nil), kind}
	all = append(all, m)
	return m
}

// Scrape is one reading of all counts.
type Scrape struct{ ch chan<- prometheus.Metric }

// Set reports the value of m. There are as many labels as m has names for them; no two calls of one
// scrape may agree in m and all labels.
func (s Scrape) Set(m *Metric, value float64, labels ...string) {
	s.ch <- prometheus.MustNewConstMetric(m.desc, m.kind, value, labels...)
}

// Registry collects what functions report. Its methods are safe for concurrent use.
type Registry struct {
	reg *prometheus.Registry

	mu      sync.Mutex // guards reports
	reports []func(Scrape)
}

// New returns a registry that knows of the process, the Go runtime, and the versions of this program and of Go.
func New(version, goVersion string) *Registry {
	r := &Registry{reg: prometheus.NewRegistry()}
	r.reg.MustRegister(r, collectors.NewGoCollector(), collectors.NewProcessCollector(collectors.ProcessCollectorOpts{}))
	r.Report(func(s Scrape) { s.Set(BuildInfo, 1, version, goVersion) })
	return r
}

// Report has f called at each scrape. f may be called from several goroutines at once.
func (r *Registry) Report(f func(Scrape)) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.reports = append(r.reports, f)
}

// Describe implements prometheus.Collector.
func (r *Registry) Describe(ch chan<- *prometheus.Desc) {
	for _, m := range all {
		ch <- m.desc
	}
}

// Collect implements prometheus.Collector.
func (r *Registry) Collect(ch chan<- prometheus.Metric) {
	r.mu.Lock()
	reports := r.reports[:len(r.reports):len(r.reports)]
	r.mu.Unlock()
	for _, f := range reports {
		f(Scrape{ch})
	}
}

// Handler answers scrapes.
func (r *Registry) Handler() http.Handler {
	const maxScrapes = 4 // at a time
	return promhttp.HandlerFor(r.reg, promhttp.HandlerOpts{MaxRequestsInFlight: maxScrapes})
}
