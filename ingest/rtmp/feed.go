package rtmp

import (
	"log/slog"
	"sync/atomic"

	"pushcart/ingest"
	"pushcart/ingest/rtmp/chunk"
	"pushcart/ingest/rtmp/flv"
	"pushcart/media"
)

// timescale is that of all tracks: RTMP counts milliseconds.
const timescale = 1000

// feed turns the messages of a publishing connection into tracks and access units.
type feed struct {
	pub       ingest.Publisher
	log       *slog.Logger
	malformed *atomic.Int64 // the server's
	done      chan struct{} // closed when the feed is

	clock    unwrapper
	meta     metadata
	tracks   []*track
	packets  []flv.Packet // scratch
	messages int          // audio and video
	start    int64        // the time of the first of them
	long     int64        // messages skipped for their length, so far
	told     map[string]bool
}

// newFeed begins to feed pub. When the session ends from its side, the connection ends.
func newFeed(pub ingest.Publisher, c *conn) *feed {
	f := &feed{
		pub:       pub,
		log:       c.server.Log.With("remote", c.place.Remote, "app", c.app, "agent", c.agent),
		malformed: &c.server.malformed,
		done:      make(chan struct{}),
		long:      c.in.Skipped(),
		told:      make(map[string]bool),
	}
	go func() {
		select {
		case <-pub.Done():
			if why := pub.Err(); why != nil { // without a reason, it is we who have left
				c.place.End(why)
			}
		case <-f.done:
		}
	}()
	f.announceData()
	return f
}

// close leaves the show.
func (f *feed) close(why error) {
	close(f.done)
	f.pub.Close(why)
}

// message acts on an audio, video, data or aggregate message. Its error is final: an *ingest.Refusal
// if nothing that the host sends can be carried, else the session's.
func (f *feed) message(m chunk.Message) error {
	switch m.Type {
	case chunk.TypeAudio, chunk.TypeVideo:
		return f.media(m.Type, f.clock.media(m.Timestamp), m.Data)
	case chunk.TypeDataAMF0:
		return f.data(f.clock.data(m.Timestamp), m.Data)
	case chunk.TypeDataAMF3:
		return f.data(f.clock.data(m.Timestamp), stripAMF3(m.Data))
	}
	return f.aggregate(m)
}

func (f *feed) aggregate(m chunk.Message) error {
	var final error
	err := flv.Aggregate(m.Data, func(t flv.Tag) error {
		if t.Type != chunk.TypeAggregate { // one inside another is nonsense
			part := chunk.Message{Type: t.Type, Timestamp: m.Timestamp + t.Offset, Data: t.Data}
			switch t.Type {
			case chunk.TypeAudio, chunk.TypeVideo, chunk.TypeDataAMF0, chunk.TypeDataAMF3:
				final = f.message(part)
			}
		}
		return final
	})
	if final == nil && err != nil {
		f.complain(nil, err)
	}
	return final
}

// media takes an audio or video message apart.
func (f *feed) media(messageType uint8, time int64, data []byte) error {
	if f.messages++; f.messages == 1 {
		f.start = time
	}
	var err error
	if messageType == chunk.TypeVideo {
		f.packets, err = flv.AppendVideo(f.packets[:0], data)
	} else {
		f.packets, err = flv.AppendAudio(f.packets[:0], data)
	}
	if err != nil {
		f.complain(nil, err)
	}
	for _, p := range f.packets {
		if err := f.packet(time, p); err != nil {
			return err
		}
	}
	clear(f.packets)
	return f.nothingLeft(time)
}

func (f *feed) packet(time int64, p flv.Packet) error {
	t := f.track(p.Kind, p.Track)
	switch {
	case t == nil:
		return nil
	case p.Codec.Media() == "":
		f.refuse(t, "its codec, "+p.Codec.String()+", can't be carried: set the encoder to "+choices(p.Kind))
		return nil
	case p.Codec.Media().ForTranscoding():
		return f.sound(t, time, p)
	case p.Type == flv.TSConfig:
		f.refuse(t, "its configuration is in MPEG-TS form: use an encoder that sends the MP4 form")
		return nil
	case p.Type == flv.Config:
		f.configure(t, p)
		return nil
	}
	if !t.accepted || t.Codec != p.Codec.Media() {
		return nil // its configuration has not come yet, or was refused
	}
	return f.write(t, time, p)
}

// write checks a frame and hands it on. A torn one is dropped: it would take a decoder down with it.
func (f *feed) write(t *track, time int64, p flv.Packet) error {
	var err error
	au := media.AccessUnit{
		Track: t.ID, DTS: time, PTS: time + int64(p.CompositionTime),
		RandomAccess: p.Kind == media.KindAudio || p.Keyframe, Data: p.Data,
	}
	switch t.Codec {
	case media.CodecH264, media.CodecHEVC:
		au.RandomAccess, err = flv.CheckNALs(t.Codec, t.lengthSize, p.Keyframe, p.Data)
		if err != nil && flv.StartsLikeAnnexB(p.Data) {
			err = errAnnexB
		}
	case media.CodecAV1:
		au.Data, err = flv.CheckOBUs(p.Data)
	}
	if err != nil || len(au.Data) == 0 {
		f.complain(t, err)
		return nil
	}
	t.written = true
	return f.pub.Write(au)
}

const errAnnexB = FormatError("frames have start codes (Annex B) where RTMP has lengths: the encoder's output format is wrong")

// complain counts a message or frame that is dropped, and logs the first of its kind.
func (f *feed) complain(t *track, err error) {
	f.malformed.Add(1)
	what := "message"
	if t != nil {
		what = t.String()
	}
	if err != nil && !f.told[what] {
		f.told[what] = true
		f.log.Warn("rtmp: a broken "+what+" was dropped; more of them are only counted", "why", err)
	}
}

// skipped takes note of the number of messages that the chunk reader has left out.
func (f *feed) skipped(total int64) {
	if n := total - f.long; n > 0 {
		f.long = total
		f.malformed.Add(n - 1)
		f.complain(nil, FormatError("a message is longer than the limit of its kind: lower the encoder's bitrate"))
	}
}
