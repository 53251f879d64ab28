// Package packager makes a show into low-latency HLS: access units in; parts, segments and playlists out
// (draft-pantos-hls-rfc8216bis-22, CMAF).
//
// A Packager is a plain machine. It starts no goroutine, reads no clock and has not heard of HTTP: Apply
// feeds it one event of the show, and what came of it can be read through its Window, by any number of
// goroutines, as immutable snapshots. The story is told in this order: tracks.go gives each track a rendition,
// segmenter.go says where to cut, rendition.go turns the units of one track into parts, follow.go and ladder.go
// keep audio and the other pictures in step with the lead, playlist.go is what has been published of a
// rendition, window.go waits for it, multivariant.go ties the renditions together.
package packager

import (
	"time"

	"pushcart/media"
	"pushcart/packager/m3u8"
	"pushcart/stream"
)

// Show is what a packager has to know about a show beforehand.
type Show struct {
	// Epoch is part of every media URI. It is unique for ever, so that no URI is ever used twice.
	Epoch string
	// Start is the wall clock time of media time zero. EXT-X-PROGRAM-DATE-TIME follows from it alone:
	// it is never adjusted while the show lasts.
	Start time.Time
	// FirstMSN is the first media sequence number, at least 1; FirstDSN the first discontinuity
	// sequence number. They must not be below what an earlier show of the same name has used.
	FirstMSN, FirstDSN int64
}

// numbersBegin is the zero of sequence numbers.
var numbersBegin = time.Date(2024, time.January, 1, 0, 0, 0, 0, time.UTC)

// NewShow returns a show that begins at start, with sequence numbers that no earlier show of the same name
// has reached, not even one of a process that was killed: they follow from the wall clock.
//
// The media sequence number is the time in seconds, and segments last a second at least. The discontinuity
// sequence number is the time in days: players keep tables that are as long as that number, and hls.js
// 1.7.4 comes to a standstill when it is in the millions.
func NewShow(epoch string, start time.Time) Show {
	age := start.Sub(numbersBegin)
	return Show{
		Epoch:    epoch,
		Start:    start,
		FirstMSN: max(1, int64(age/time.Second)),
		FirstDSN: max(0, int64(age/(24*time.Hour))),
	}
}

// Packager makes one show into HLS. Its methods are for one goroutine; the Window is for all.
type Packager struct {
	cfg    Config
	show   Show
	window *Window

	renditions []*rendition // in order of appearance
	numbers    map[media.Kind]int
	byTrack    map[int]*rendition
	source     *media.Track // of the host's sound, where viewers get what is made of it; nil: they get it as it comes
	lead       *rendition   // decides where segments end: the host's first video track, or its first audio track
	started    bool         // the lead has had a unit in this epoch
	epochStart int64        // presentation time of that unit
	epochCuts  int          // segments that the lead has completed in this epoch

	targetDuration int   // seconds
	msn            int64 // of the lead's open segment
	firstMSN       int64 // of the oldest listed segment
	dsn            int64 // discontinuity sequence number of that one
	discontinuity  bool  // the epoch begins with a discontinuity
	ended          bool
	suspended      bool // nothing more comes, though the show is not over
	dependent      bool // a segment was cut without a keyframe
	redescribe     bool // the multivariant playlist may have to change
	captions       bool // the host's pictures carry closed captions, or did earlier in the show

	remark  func(kind, sentence string)
	reports []m3u8.RenditionReport // shared by snapshots: replaced, never modified

	cues      cues
	documents uint64
	stats     Stats
}

// retention is how much media can still be fetched after it has left the playlists
// (docs/adr/0007-retention.md).
func (p *Packager) retention() time.Duration { return 4 * p.stats.TargetDuration }

// Stats are counts of what went less than well, for the operator and the host.
type Stats struct {
	// TargetDuration is EXT-X-TARGETDURATION; above the configured one, the host's keyframes are rarer
	// than they should be.
	TargetDuration time.Duration
	// Segments counts the complete segments of the lead rendition.
	Segments int
	// Discontinuities counts epochs but for the first.
	Discontinuities int
	// ForcedCuts counts segments that had to end without a keyframe.
	ForcedCuts int
	// Gaps counts parts that were listed as EXT-X-GAP, because there was no media for them.
	Gaps int
	// Stood counts pictures that repeat the one before, in parts for which the host had none.
	Stood int
	// Skipped counts the host's pictures that were left out, because only a keyframe could follow those.
	Skipped int
	// Late counts units of other tracks than the lead's that came when gaps or silence had taken their place.
	Late int
}

// New returns a packager for a show. cfg must be valid.
func New(cfg Config, show Show) *Packager {
	cfg = cfg.WithDefaults()
	p := &Packager{
		cfg:            cfg,
		show:           show,
		targetDuration: roundSeconds(cfg.Latency.Segment),
		msn:            max(show.FirstMSN, 1) + minListed,
		firstMSN:       max(show.FirstMSN, 1),
		dsn:            show.FirstDSN,
		numbers:        make(map[media.Kind]int),
		remark:         func(kind, sentence string) {},
	}
	p.stats.TargetDuration = time.Duration(p.targetDuration) * time.Second
	p.cues.trim = p.firstMSN
	p.window = newWindow(p)
	return p
}

// OnRemark has tell called with sentences for the host and the operator: a track that has left the ladder, and
// why. kind is the same for sentences about the same thing. It is to be set before the first Apply, which calls
// tell.
func (p *Packager) OnRemark(tell func(kind, sentence string)) { p.remark = tell }

// Window returns the read side.
func (p *Packager) Window() *Window { return p.window }

// Apply takes the next event of the show. What it completes is visible in the window when it returns. It
// keeps ev.Unit.Data until the part that holds it is complete. An error concerns one track or one unit:
// the caller logs it and goes on.
func (p *Packager) Apply(ev stream.Event) error {
	if p.ended || p.suspended {
		return nil
	}
	var err error
	switch ev.Kind {
	case stream.EventTracks:
		err = p.beginEpoch(ev.Tracks)
	case stream.EventUnit:
		err = p.unit(ev.Unit)
	case stream.EventJoined:
		err = p.join(ev.Tracks)
	case stream.EventLeft:
		p.leave(ev.Tracks)
	case stream.EventInterrupted:
		p.closeEpoch()
	case stream.EventEnded:
		p.closeEpoch()
		if p.suspended = ev.Suspended; p.suspended {
			break // the playlists stay open, for the server that goes on with the show
		}
		p.endCues()
		p.ended = true
		for _, r := range p.renditions {
			r.dirty = true
		}
	}
	p.publish()
	return err
}

// unit routes one access unit.
func (p *Packager) unit(au media.AccessUnit) error {
	r := p.byTrack[au.Track]
	switch {
	case r == nil:
		return p.data(au)
	case p.lead == nil:
		return nil
	case r == p.lead:
		p.lookForCaptions(au)
		p.leadUnit(au)
		for _, f := range p.renditions {
			if f != r {
				f.drain(p.horizon(f))
				f.fillIn()
			}
		}
	default:
		r.hold(au)
		if p.started {
			r.drain(p.horizon(r))
			if !r.track.Contributed { // the show does not depend on those
				p.waitNoLonger(r)
			}
		}
	}
	return nil
}

// publish makes what has changed visible, all of it at once as far as one viewer can tell.
func (p *Packager) publish() {
	changed := p.ended || p.cues.touched
	for _, r := range p.renditions {
		changed = changed || r.dirty
	}
	if !changed {
		return
	}
	p.passEdge()
	p.offer()
	p.report()
	for _, r := range p.renditions {
		if r.dirty {
			r.publish()
			r.dirty = false
		}
	}
	p.window.update()
}

// positionTime returns the wall clock time of ticks in a timescale.
func (p *Packager) positionTime(ticks, timescale int64) time.Time {
	return p.show.Start.Add(media.Duration(ticks, timescale))
}

// roundSeconds rounds to the nearest second, halves up, as rfc8216bis 4.4.3.1 compares EXTINF.
func roundSeconds(d time.Duration) int { return int((d + time.Second/2) / time.Second) }
