package rtmp

import (
	"bytes"
	"cmp"
	"strconv"

	"pushcart/ingest"
	"pushcart/ingest/rtmp/amf"
	"pushcart/media"
)

// metadata is what onMetaData has said.
type metadata struct {
	promised       bool // it names the kinds of track there will be
	videos, audios int  // how many of them
	object         amf.Object
	raw            []byte
}

// excludes reports whether the host has promised not to send tracks of a kind.
func (m *metadata) excludes(k media.Kind) bool { return m.promised && m.count(k) == 0 }

// count is the number of tracks of a kind that are promised.
func (m *metadata) count(k media.Kind) int {
	if k == media.KindVideo {
		return m.videos
	}
	return m.audios
}

// Where tracks have objects of their own (Enhanced RTMP v2, "Enhancing onMetaData"): by track number, in
// decimal.
const (
	videoMap = "videoTrackIdInfoMap"
	audioMap = "audioTrackIdInfoMap"
)

// readMetadata makes it of the object in an onMetaData message. Only codec IDs, has flags and maps of tracks
// are promises: most encoders give picture size and data rates for tracks that they do not send.
func readMetadata(o amf.Object) metadata {
	m := metadata{object: o}
	m.videos = tracksIn(o, present(o, "videocodecid", "hasVideo"), videoMap)
	m.audios = tracksIn(o, present(o, "audiocodecid", "hasAudio"), audioMap)
	m.promised = m.videos > 0 || m.audios > 0
	return m
}

// tracksIn counts the tracks of a kind: the default one, which may or may not be in the map, and the others.
func tracksIn(o amf.Object, byDefault bool, trackMap string) int {
	numbers := make(map[uint64]bool)
	if byDefault {
		numbers[0] = true
	}
	for _, member := range amf.Members(o.Get(trackMap)) {
		if n, err := strconv.ParseUint(member.Name, 10, 8); err == nil && amf.Members(member.Value) != nil {
			numbers[n] = true
		}
	}
	return min(len(numbers), maxTracks)
}

// present reports whether a track is announced: by a flag if there is one, else by a codec, which may
// be a number, a FourCC as number or a name.
func present(o amf.Object, codec, flag string) bool {
	if has, ok := o.Get(flag).(bool); ok {
		return has
	}
	return o.Number(codec) > 0 || o.String(codec) != ""
}

// Bounds of what is believed.
const (
	maxFrameRate = 1000
	maxKilobits  = 1_000_000
	maxLanguage  = 35 // the longest that RFC 5646 asks to allow for
	maxLabel     = 256
)

// describe sets what the host has declared about a track. Tracks behind the first of their kind have an
// object of their own, which may leave out what is the same; the first one may have one.
func (m *metadata) describe(t *track) {
	trackMap, dataRate := videoMap, "videodatarate"
	if t.kind == media.KindAudio {
		trackMap, dataRate = audioMap, "audiodatarate"
	}
	own := amf.Members(amf.Members(m.object.Get(trackMap)).Get(strconv.Itoa(int(t.number))))
	if t.number == 0 {
		own = append(own[:len(own):len(own)], m.object...) // the first of a name counts
	}
	t.FrameRate, t.BitRate = 0, 0
	if kbps := own.Number(dataRate); kbps > 0 && kbps <= maxKilobits {
		t.BitRate = int(kbps * 1000)
	}
	if t.kind == media.KindVideo {
		for _, fps := range []float64{own.Number("framerate"), own.Number("videoframerate"), m.object.Number("framerate")} {
			if fps > 0 && fps <= maxFrameRate {
				t.FrameRate = fps
				break
			}
		}
	}
	t.Language, t.Label = "", ""
	if language := cmp.Or(own.String("language"), own.String("lang")); len(language) <= maxLanguage {
		t.Language = language
	}
	if label := own.String("label"); len(label) <= maxLabel {
		t.Label = label
	}
}

// data acts on a data message: what it says about the tracks is noted, and all of it is handed on.
func (f *feed) data(time int64, payload []byte) error {
	r := amf.NewReader(payload)
	name := r.String()
	switch name {
	case "@setDataFrame":
		payload = payload[r.Offset():]
		name = r.String()
	case "@clearDataFrame":
		return nil
	}
	var first any
	if r.More() {
		first = r.Value()
	}
	for r.More() {
		r.Value()
	}
	if err := r.Err(); err != nil {
		f.complain(nil, err)
		return nil
	}
	if name == "onMetaData" {
		// GStreamer's flvmux repeats it some twenty times a second.
		if bytes.Equal(payload, f.meta.raw) {
			return nil
		}
		f.metadata(amf.Members(first), payload)
	}
	return f.pub.Write(media.AccessUnit{Track: dataTrackID, DTS: time, PTS: time, RandomAccess: true, Data: payload})
}

// metadata notes what onMetaData says. Tracks that were announced before it came are described again
// as long as nothing of them has been handed on.
func (f *feed) metadata(o amf.Object, raw []byte) {
	before := f.meta
	f.meta = readMetadata(o)
	f.meta.raw = raw
	if m := f.meta; m.promised && (!before.promised || m.videos != before.videos || m.audios != before.audios) {
		if p, ok := f.pub.(ingest.TrackCounter); ok {
			p.ExpectTracks(m.videos, m.audios)
		} else {
			f.pub.Expect(m.videos > 0, m.audios > 0)
		}
	}
	for _, t := range f.tracks {
		if t.accepted && !t.written {
			f.meta.describe(t)
			f.announce(t)
		}
	}
	if encoder := o.String("encoder"); encoder != "" && !f.told["encoder"] {
		f.told["encoder"] = true
		f.log.Info("rtmp: encoder", "name", encoder[:min(len(encoder), maxAgentLength)])
	}
}
