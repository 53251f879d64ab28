package main

import (
	"context"
	"math/bits"
	"time"

	"pushcart/bench/pushlog"
)

// report is what one stream, or all together, sent.
type report struct {
	Streams  int     `json:"streams"`
	Failed   int     `json:"failed"`
	Pictures int64   `json:"pictures"`
	Messages int64   `json:"messages"`
	Bytes    int64   `json:"bytes"`
	Seconds  float64 `json:"seconds"`
	// Late is how much later than due writes began; Blocked is how long they took.
	Late    summary `json:"late"`
	Blocked summary `json:"blocked"`
	// CPU is the processor time of this process, in seconds.
	CPU float64 `json:"cpu"`

	late, blocked histogram
}

func (r *report) add(o *report) {
	r.Pictures += o.Pictures
	r.Messages += o.Messages
	r.Bytes += o.Bytes
	r.late.merge(&o.late)
	r.blocked.merge(&o.blocked)
}

// push publishes src to target, each message when it is due, until the source ends, ctx does, or the
// connection fails. A write that blocks makes what follows late; it then goes out as fast as it can, as
// encoders do it. log may be nil.
func push(ctx context.Context, target string, stream int, src source, o *options, log *pushlog.Writer) (*report, error) {
	var r report
	p, err := dial(ctx, target, o.chunk)
	if err != nil {
		return &r, err
	}
	defer p.close()
	start := time.Now()
	timer := time.NewTimer(0)
	defer timer.Stop()
	for {
		m, ok := src.next()
		if !ok || o.duration > 0 && m.at >= o.duration {
			return &r, nil
		}
		timer.Reset(time.Until(start.Add(m.at)))
		select {
		case <-ctx.Done():
			return &r, nil
		case why := <-p.failed:
			return &r, why
		case <-timer.C:
		}
		begin := time.Now()
		dts := o.start + m.at.Milliseconds()
		if log != nil && (m.picture >= 0 || m.cue != "") {
			log.Add(pushlog.Entry{Stream: stream, Picture: m.picture, DTS: dts, Wall: begin.UnixNano(), Cue: m.cue})
		}
		if err := p.media(m.body, uint32(dts)); err != nil {
			return &r, err
		}
		r.late.add(begin.Sub(start) - m.at)
		r.blocked.add(time.Since(begin))
		r.Messages++
		r.Bytes += int64(len(m.body.payload))
		if m.picture >= 0 {
			r.Pictures++
		}
	}
}

// summary is a histogram in three numbers, in milliseconds.
type summary struct {
	P50 float64 `json:"p50_ms"`
	P99 float64 `json:"p99_ms"`
	Max float64 `json:"max_ms"`
}

// histogram counts spans in buckets that are an eighth of a power of two microseconds wide.
type histogram struct {
	counts [40 * 8]int64
	total  int64
	max    time.Duration
}

func (h *histogram) add(d time.Duration) {
	d = max(d, 0)
	h.counts[bucket(d)]++
	h.total++
	h.max = max(h.max, d)
}

// bucket returns the bucket of d: below 8 µs one per microsecond, then eight per doubling.
func bucket(d time.Duration) int {
	us := uint64(d.Microseconds())
	shift := max(0, bits.Len64(us)-4)
	return min(shift*8+int(us>>shift), 40*8-1)
}

// top returns the upper end of bucket i.
func top(i int) time.Duration {
	shift := max(0, i/8-1)
	return time.Duration(i-shift*8+1) << shift * time.Microsecond
}

func (h *histogram) merge(o *histogram) {
	for i, n := range o.counts {
		h.counts[i] += n
	}
	h.total += o.total
	h.max = max(h.max, o.max)
}

// quantile returns a span that at least the share q of all are below.
func (h *histogram) quantile(q float64) time.Duration {
	left := int64(q * float64(h.total))
	for i, n := range h.counts {
		if left -= n; left < 0 {
			return min(top(i), h.max)
		}
	}
	return h.max
}

func (h *histogram) summary() summary {
	ms := func(d time.Duration) float64 { return float64(d.Microseconds()) / 1000 }
	return summary{ms(h.quantile(0.5)), ms(h.quantile(0.99)), ms(h.max)}
}
