package rtsp

import (
	"time"

	"pushcart/media"
)

// standIn makes pictures for the times of those that are lost, or can't be decoded since others are: each repeats what
// is on the screen. Viewers see the picture stand until the next keyframe, and their players go on
// (docs/adr/0021-pictures-that-repeat.md). With codecs that it can't do that for, there is a hole. The zero value is
// ready.
type standIn struct {
	still media.Still
	shown int64 // the latest presentation time so far
}

// configure takes the configuration that holds from the next picture on.
func (s *standIn) configure(t media.Track) {
	if t.Codec == media.CodecH264 {
		s.still.Config(t.Config)
	}
}

// see takes note of a picture that is handed on.
func (s *standIn) see(au media.AccessUnit, codec media.Codec) {
	if s.shown = max(s.shown, au.PTS); au.RandomAccess {
		s.shown = au.PTS
	}
	if codec == media.CodecH264 {
		s.still.See(au.Data, au.RandomAccess)
	}
}

// longestOutage bounds how long nothing at all may have come for pictures to stand in. Behind a longer time, there is a hole.
const longestOutage = 3 * time.Second

// fill hands on what stands in for a picture of time at that is not handed on itself, and for those before it of which not one
// packet has come; the next one that is handed on is a keyframe. Pictures that come behind one that is shown later than they are
// need nobody to stand in.
func (v *video) fill(at int64) {
	if v.fillUpTo(at) {
		v.stand(at)
	}
}

// fillUpTo is fill for the pictures before time at alone. It reports whether there may be more.
func (v *video) fillUpTo(at int64) bool {
	if at-v.standIn.shown > media.Ticks(longestOutage, v.t.clock.rate) {
		return true
	}
	for next := v.standIn.shown + v.frameLength; at-next > v.frameLength/2; next += v.frameLength {
		if !v.stand(next) {
			return false
		}
	}
	return true
}

// stand hands on a picture of time at that repeats the one before, and reports whether it could.
func (v *video) stand(at int64) bool {
	s := &v.standIn
	if !v.accepted || at <= s.shown {
		return false
	}
	data := s.still.Next(true)
	if data == nil {
		return false
	}
	s.shown = at
	v.t.feed.count(countRepeated, 1)
	v.t.feed.write(media.AccessUnit{Track: v.t.id, DTS: v.order.alone(at, v.frameLength), PTS: at, Data: data})
	return true
}
