package rtsp

import "pushcart/media"

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

// fill hands on what stands in for a picture of time at that is not handed on itself; the next one that is, is a
// keyframe. Pictures that come behind one that is shown later than they are need nobody to stand in.
func (v *video) fill(at int64) {
	s := &v.standIn
	if !v.accepted || at <= s.shown {
		return
	}
	data := s.still.Next(true)
	if data == nil {
		return
	}
	s.shown = at
	v.t.feed.count(countRepeated, 1)
	v.t.feed.write(media.AccessUnit{Track: v.t.id, DTS: v.order.alone(at, v.frameLength), PTS: at, Data: data})
}
