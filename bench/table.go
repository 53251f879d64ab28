package main

import (
	"fmt"
	"io"
	"os"
	"runtime"
	"slices"
	"strings"
	"time"
)

// report prints tables while suites run.
type report struct {
	w     io.Writer
	busy  busyMeter
	ours  time.Duration // processor time of this process and of those it has started
	begun time.Time
}

func newReport(w io.Writer) *report { return &report{w: w} }

// heading says on what machine the figures were taken.
func (r *report) heading(o *options) {
	model := "unknown processor"
	for line := range strings.Lines(readFile("/proc/cpuinfo")) {
		if name, value, ok := strings.Cut(line, ":"); ok && strings.TrimSpace(name) == "model name" {
			model = strings.TrimSpace(value)
			break
		}
	}
	kernel := strings.TrimSpace(readFile("/proc/sys/kernel/osrelease"))
	peer := "not measured (PEER_MEDIAMTX is not set)"
	if o.peer != "" {
		peer = peerVersion(o.peer)
	}
	fmt.Fprintf(r.w, "Machine: %d cores (%s), Linux %s, %s. %s.\nPeer: %s.\n",
		runtime.NumCPU(), model, kernel, runtime.Version(), time.Now().UTC().Format("2006-01-02 15:04 UTC"), peer)
	fmt.Fprintf(r.w, "Input: 1280x720, 30 frames/s, keyframe every 2 s, %.1f Mb/s with 128 kb/s AAC, over RTMP in chunks of 4096 bytes. "+
		"Parts of 10 frames, segments of 2 s, window of 30 s.\n", float64(o.bitRate)/1e6)
}

// begin starts a suite's section.
func (r *report) begin(title, command string) {
	fmt.Fprintf(r.w, "\n### %s\n\n    %s\n\nLoad average before: %s.\n\n", title, command, loadAverage())
	r.busy, r.ours, r.begun = readBusy(), ownTime(), time.Now()
}

// end closes it with how busy the machine was, and how busy with other things. All processes that the
// suite has started are gone by then, so that their time counts as ours.
func (r *report) end() {
	all := readBusy().since(r.busy)
	ours := (ownTime() - r.ours).Seconds() / time.Since(r.begun).Seconds() / float64(runtime.NumCPU())
	fmt.Fprintf(r.w, "\nThe machine was busy for %.0f %% of the time, for %.0f %% with other programs.\n", 100*all, 100*max(0, all-ours))
}

// loadAverage returns the three figures of /proc/loadavg.
func loadAverage() string {
	f := strings.Fields(readFile("/proc/loadavg"))
	return strings.Join(f[:min(3, len(f))], " ")
}

// readFile returns a file's text, empty if it can't be read: for /proc, where absence says enough.
func readFile(name string) string {
	b, err := os.ReadFile(name)
	if err != nil {
		return ""
	}
	return string(b)
}

// table collects figures of the servers side by side.
type table struct {
	columns []string // names of what is compared; the first is pushcart
	ratio   bool     // add a column with the first figure divided by the second
	rows    [][]string
}

func newTable(servers []*contender) *table {
	t := &table{ratio: true}
	for _, s := range servers {
		t.columns = append(t.columns, s.name)
	}
	return t
}

// figure is a measured value; ok is false if it was not measured.
type figure struct {
	value  float64
	format string // of value, such as "%.1f ms"
	ok     bool
}

func measured(format string, value float64) figure { return figure{value, format, true} }

// millis is a span as a figure.
func millis(d time.Duration) figure { return measured("%.2f ms", float64(d)/float64(time.Millisecond)) }

func (f figure) String() string {
	if !f.ok {
		return "not measured"
	}
	return fmt.Sprintf(f.format, f.value)
}

// row adds a line: one figure for each column.
func (t *table) row(what string, figures ...figure) {
	cells := []string{what}
	for _, f := range figures {
		cells = append(cells, f.String())
	}
	if t.ratio {
		ratio := "-"
		if len(figures) > 1 && figures[0].ok && figures[1].ok && figures[1].value > 0 {
			ratio = fmt.Sprintf("%.2f", figures[0].value/figures[1].value)
		}
		cells = append(cells, ratio)
	}
	t.rows = append(t.rows, cells)
}

// print writes the table as Markdown, its columns aligned.
func (t *table) print(w io.Writer) {
	head := append([]string{"what"}, t.columns...)
	if t.ratio {
		head = append(head, "ratio")
	}
	widths := make([]int, len(head))
	for _, row := range append([][]string{head}, t.rows...) {
		for i, cell := range row {
			widths[i] = max(widths[i], len([]rune(cell)))
		}
	}
	line := func(cells []string) {
		for i, cell := range cells {
			fmt.Fprint(w, "| ", cell, strings.Repeat(" ", widths[i]-len([]rune(cell))+1))
		}
		fmt.Fprintln(w, "|")
	}
	line(head)
	rule := make([]string, len(head))
	for i := range rule {
		rule[i] = strings.Repeat("-", max(3, widths[i]))
	}
	line(rule)
	for _, row := range t.rows {
		line(row)
	}
}

// spans are samples of a latency.
type spans []time.Duration

// quantile returns the sample that the share q of all do not exceed, zero if there are none.
func (s spans) quantile(q float64) time.Duration {
	if len(s) == 0 {
		return 0
	}
	sorted := slices.Sorted(slices.Values(s))
	return sorted[min(len(sorted)-1, int(q*float64(len(sorted))))]
}

// figureAt is quantile as a figure, not measured if there are no samples.
func (s spans) figureAt(q float64) figure {
	f := millis(s.quantile(q))
	f.ok = len(s) > 0
	return f
}
