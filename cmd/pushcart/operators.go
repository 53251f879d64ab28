package main

import (
	"maps"
	"math"
	"slices"
	"strconv"

	"pushcart/admin"
	"pushcart/media"
	"pushcart/metrics"
	"pushcart/stream"
)

// Streams implements admin.Source.
func (s *server) Streams() []admin.Stream {
	var list []admin.Stream
	for _, sh := range s.shows.all() {
		list = append(list, s.describe(sh))
	}
	return append(list, s.awayCameras(list)...)
}

// Stream implements admin.Source.
func (s *server) Stream(name string) (admin.Stream, bool) {
	sh, ok := s.shows.find(name)
	if !ok {
		return s.awayCamera(name)
	}
	return s.describe(sh), true
}

// Cut implements admin.Source.
func (s *server) Cut(name string) bool { return s.hub.Cut(name) }

// status is the stream's, and what the packager had to make good among its repairs.
func (s *show) status() stream.Status {
	st := s.stream.Status()
	for kind, n := range map[string]int{
		"gap parts listed":                s.Stats().Gaps,
		"pictures filled in":              s.Stats().Stood,
		"frames skipped to a keyframe":    s.Stats().Skipped,
		"segments cut without a keyframe": s.Stats().ForcedCuts,
		"units too late for their place":  s.Stats().Late,
	} {
		if n > 0 {
			st.Repairs[kind] += int64(n) // the doors count some of the same
		}
	}
	return st
}

// describe says what a show is like in the operators' words.
func (s *server) describe(sh *show) admin.Stream {
	st := sh.status()
	a := admin.Stream{
		Name: st.Name, Epoch: st.Epoch, State: st.State.String(), Since: st.Since.UTC(), Start: st.Start.UTC(),
		Host:     admin.Host{Protocol: st.Source.Protocol, Remote: st.Source.Remote, Encoder: st.Source.Agent},
		Sessions: st.Sessions, Viewers: s.counter.Viewers(st.Name), ReceivedBytes: st.Bytes,
		Tracks: make([]admin.Track, 0, len(st.Tracks)), Repairs: st.Repairs, Remarks: make([]admin.Remark, 0, len(st.Remarks)),
	}
	for _, t := range st.Tracks {
		a.Tracks = append(a.Tracks, describeTrack(t))
	}
	a.Contributors = make([]admin.Contributor, 0, len(st.Contributors))
	for _, c := range st.Contributors {
		a.Contributors = append(a.Contributors, admin.Contributor{
			Role: c.Role, Since: c.Since.UTC(), Tracks: append([]int{}, c.Tracks...),
			Host: admin.Host{Protocol: c.Source.Protocol, Remote: c.Source.Remote, Encoder: c.Source.Agent},
		})
	}
	for _, r := range st.Remarks {
		a.Remarks = append(a.Remarks, admin.Remark{At: r.At.UTC(), Text: r.Text})
	}
	a.Ladder = s.describeLadder(st.Name)
	a.Camera = s.camera(st.Name)
	a.Sound = s.describeSound(st.Name)
	return a
}

func describeTrack(t stream.TrackStatus) admin.Track {
	kind := t.Track.Kind()
	a := admin.Track{
		ID: t.Track.ID, Kind: kind.String(), Codec: string(t.Track.Codec), Language: t.Track.Language, Label: t.Track.Label,
		BitRate: int(t.BitRate),
	}
	if kind == media.KindVideo {
		a.FrameRate = math.Round(t.UnitRate*100) / 100
		a.KeyframeInterval = math.Round(t.GOP.Seconds()*1000) / 1000
	}
	if kind == media.KindData {
		return a
	}
	if f, err := media.ParseConfig(t.Track); err == nil {
		a.Codecs, a.Width, a.Height, a.SampleRate, a.Channels = f.Codecs, f.Width, f.Height, f.SampleRate, f.Channels
	}
	return a
}

// report reads all counts for a scrape.
func (s *server) report(m metrics.Scrape) {
	states := map[stream.State]int{stream.Waiting: 0, stream.Live: 0, stream.Interrupted: 0, stream.Ended: 0}
	for _, sh := range s.shows.all() {
		st := sh.status()
		states[st.State]++
		s.reportStream(m, st)
		s.reportLadder(m, st.Name)
		s.reportSound(m, st.Name)
	}
	for state, n := range states {
		m.Set(metrics.Streams, float64(n), state.String())
	}
	s.reportDoor(m)
	s.reportRTSP(m)
	s.reportCues(m)
	s.reportOrigin(m)
}

func (s *server) reportStream(m metrics.Scrape, st stream.Status) {
	m.Set(metrics.StreamViewers, float64(s.counter.Viewers(st.Name)), st.Name)
	m.Set(metrics.StreamBytes, float64(st.Bytes), st.Name)
	m.Set(metrics.StreamSessions, float64(st.Sessions), st.Name)
	for kind, n := range st.Repairs {
		m.Set(metrics.StreamRepairs, float64(n), st.Name, kind)
	}
	for _, t := range st.Tracks {
		id, kind := strconv.Itoa(t.Track.ID), t.Track.Kind()
		m.Set(metrics.StreamByteRate, t.BitRate/8, st.Name, id, kind.String())
		m.Set(metrics.StreamFrameRate, t.UnitRate, st.Name, id, kind.String())
		if kind == media.KindVideo {
			m.Set(metrics.StreamGOP, t.GOP.Seconds(), st.Name, id)
		}
	}
}

func (s *server) reportDoor(m metrics.Scrape) {
	d := s.door.Stats()
	m.Set(metrics.RTMPConnections, float64(d.Connections))
	m.Set(metrics.RTMPPublishing, float64(d.Publishing))
	m.Set(metrics.RTMPAccepted, float64(d.Accepted))
	m.Set(metrics.RTMPRefused, float64(d.Refused))
	m.Set(metrics.RTMPMalformed, float64(d.Malformed))
	m.Set(metrics.RTMPBytes, float64(d.Bytes))
}

func (s *server) reportRTSP(m metrics.Scrape) {
	d := s.rtsp.Stats()
	m.Set(metrics.RTSPConnections, float64(d.Connections))
	m.Set(metrics.RTSPPublishing, float64(d.Publishing))
	m.Set(metrics.RTSPAccepted, float64(d.Accepted))
	m.Set(metrics.RTSPRefused, float64(d.Refused))
	m.Set(metrics.RTSPBytes, float64(d.Bytes))
	for _, p := range s.puller.Stats() {
		up := 0.0
		if p.Up {
			up = 1
		}
		m.Set(metrics.PullUp, up, p.Name)
		m.Set(metrics.PullTries, float64(p.Tries), p.Name)
	}
}

func (s *server) reportCues(m metrics.Scrape) {
	c := s.cues.Stats()
	for result, n := range map[string]uint64{
		"created": c.Created, "revised": c.Revised, "undone": c.Undone, "refused": c.Refused,
	} {
		m.Set(metrics.CueWrites, float64(n), result)
	}
	for result, n := range map[string]uint64{
		"cue": c.Messages, "ignored": c.MessagesIgnored, "refused": c.MessagesRefused, "dropped": c.MessagesDropped,
	} {
		m.Set(metrics.CueMessages, float64(n), result)
	}
	m.Set(metrics.CueJournalBytes, float64(c.JournalBytes))
	m.Set(metrics.CueJournalFails, float64(c.JournalErrors))
}

func (s *server) reportOrigin(m metrics.Scrape) {
	o := s.counter.Stats()
	bytes := make(map[string]uint64)
	for _, r := range o.Requests {
		m.Set(metrics.OriginRequests, float64(r.Count), r.Kind, strconv.Itoa(r.Status))
		bytes[r.Kind] += r.Bytes
	}
	for _, kind := range slices.Sorted(maps.Keys(bytes)) {
		m.Set(metrics.OriginBytes, float64(bytes[kind]), kind)
	}
	m.Set(metrics.OriginConnections, float64(o.Connections))
	m.Set(metrics.OriginRefused, float64(o.ConnectionsRefused))
	m.Set(metrics.OriginWaiting, float64(o.Waiting))
	m.Set(metrics.OriginListening, float64(o.Listening))
	m.Set(metrics.OriginWaits, float64(o.Waits))
	m.Set(metrics.OriginWaitTime, o.WaitTime.Seconds())
}
