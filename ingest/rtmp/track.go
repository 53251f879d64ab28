package rtmp

import (
	"bytes"
	"fmt"

	"pushcart/ingest"
	"pushcart/ingest/rtmp/flv"
	"pushcart/media"
)

// The IDs of the default tracks. Further ones of a multitrack publish follow: video 1 is 4, audio 1 is
// 5, video 2 is 6 and so on, so that a track has the same ID when the host comes back.
const (
	videoTrackID = 1
	audioTrackID = 2
	dataTrackID  = 3
)

func trackID(k media.Kind, number uint8) int {
	id := videoTrackID
	if k == media.KindAudio {
		id = audioTrackID
	}
	if number > 0 {
		id += 1 + 2*int(number)
	}
	return id
}

// track is one that the host has sent something of.
type track struct {
	media.Track
	kind       media.Kind
	number     uint8
	accepted   bool
	written    bool         // units have been handed on
	refused    string       // why, if it was
	lengthSize int          // of NAL unit lengths
	format     media.Format // of sound for transcoding
}

// String returns a name for the log.
func (t *track) String() string {
	if t.number == 0 {
		return t.kind.String() + " frame"
	}
	return fmt.Sprintf("%s frame of track %d", t.kind, t.number)
}

// track returns the track of that number, nil if there are too many.
func (f *feed) track(k media.Kind, number uint8) *track {
	for _, t := range f.tracks {
		if t.kind == k && t.number == number {
			return t
		}
	}
	if len(f.tracks) == maxTracks {
		f.complain(nil, FormatError(fmt.Sprintf("there are more than %d tracks", maxTracks)))
		return nil
	}
	t := &track{kind: k, number: number}
	t.ID, t.Timescale = trackID(k, number), timescale
	f.tracks = append(f.tracks, t)
	return t
}

// configure announces the decoder configuration in p, if it is news. Many encoders repeat theirs with
// every keyframe; some end with an empty one.
func (f *feed) configure(t *track, p flv.Packet) {
	codec := p.Codec.Media()
	if len(p.Data) == 0 || t.accepted && t.Codec == codec && bytes.Equal(t.Config, p.Data) {
		return
	}
	if len(p.Data) > maxConfigSize {
		f.refuse(t, fmt.Sprintf("its decoder configuration has %d bytes; at most %d are taken", len(p.Data), maxConfigSize))
		return
	}
	t.Codec, t.Config, t.Timescale = codec, bytes.Clone(p.Data), timescale
	t.lengthSize = flv.LengthSize(codec, t.Config)
	f.meta.describe(t)
	f.announce(t)
}

// announce tells the session of a track.
func (f *feed) announce(t *track) {
	if err := f.pub.SetTrack(t.Track); err != nil {
		f.refuse(t, err.Error())
		return
	}
	t.accepted, t.refused = true, ""
}

// announceData tells it of the track for data messages, which every publish has.
func (f *feed) announceData() {
	err := f.pub.SetTrack(media.Track{ID: dataTrackID, Codec: media.CodecAMF0, Timescale: timescale})
	if err != nil {
		f.log.Warn("rtmp: data messages are not carried", "why", err)
	}
}

// refuse leaves a track out, and logs that once for each reason.
func (f *feed) refuse(t *track, why string) {
	if t.refused == why {
		return
	}
	t.accepted, t.refused = false, why
	f.log.Warn("rtmp: a track is left out", "kind", t.kind, "track", t.number, "why", why)
}

// choices names what can be carried instead.
func choices(k media.Kind) string {
	if k == media.KindVideo {
		return "H.264, HEVC or AV1"
	}
	return "AAC or Opus"
}

// How long a host whose tracks were all refused so far, and who has not said what is to come, may send
// on until one comes that can be carried: in media time, and in messages for those whose time stands still.
const (
	patience         = 3000 // ms
	patienceMessages = 500
)

// nothingLeft returns the refusal of a publish of which nothing can be carried.
func (f *feed) nothingLeft(time int64) error {
	why := ""
	for _, t := range f.tracks {
		if t.accepted || t.refused == "" && !f.meta.excludes(t.kind) {
			return nil
		}
		if t.refused != "" {
			why = fmt.Sprintf("The %s can't be used: %s.", t.kind, t.refused)
		}
	}
	if why == "" {
		return nil
	}
	if f.meta.promised {
		for _, k := range []media.Kind{media.KindVideo, media.KindAudio} {
			if f.refusedOf(k) < f.meta.count(k) {
				return nil // there is more to come
			}
		}
	} else if time-f.start <= patience && f.messages <= patienceMessages {
		return nil
	}
	return &ingest.Refusal{Reason: why}
}

// refusedOf counts the tracks of a kind that are left out.
func (f *feed) refusedOf(k media.Kind) (n int) {
	for _, t := range f.tracks {
		if t.kind == k && t.refused != "" {
			n++
		}
	}
	return n
}
