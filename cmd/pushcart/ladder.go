package main

import (
	"math"
	"time"

	"pushcart/admin"
	"pushcart/metrics"
	"pushcart/transcode"
)

// describeLadder says how a show's ladder is doing, nil if it has none.
func (s *server) describeLadder(name string) *admin.Ladder {
	st, ok := s.ladder.Status(name)
	if !ok {
		return nil
	}
	seconds := func(d time.Duration) float64 { return math.Round(d.Seconds()*1000) / 1000 }
	l := &admin.Ladder{State: string(st.State), Why: st.Why, Failures: st.Failures, Rungs: make([]admin.Rung, 0, len(st.Rungs))}
	for _, r := range st.Rungs {
		l.Rungs = append(l.Rungs, admin.Rung{
			Label: r.Label, State: r.State, Encoder: r.Encoder, Width: r.Width, Height: r.Height, BitRate: r.BitRate,
			Lag: seconds(r.Lag), Latency: seconds(r.Latency),
		})
	}
	return l
}

func (s *server) reportLadder(m metrics.Scrape, name string) {
	st, ok := s.ladder.Status(name)
	if !ok {
		return
	}
	m.Set(metrics.LadderFailures, float64(st.Failures), name)
	for _, r := range st.Rungs {
		on := 0.0
		if r.State == transcode.RungOn {
			on = 1
		}
		m.Set(metrics.LadderRung, on, name, r.Label)
		m.Set(metrics.LadderLag, r.Lag.Seconds(), name, r.Label)
	}
}
