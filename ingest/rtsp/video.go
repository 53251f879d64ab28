package rtsp

import (
	"bytes"
	"encoding/binary"

	"pushcart/ingest/rtsp/rtp"
	"pushcart/ingest/rtsp/sdp"
	"pushcart/media"
)

// video makes access units of a video track's frames. After a hole nothing is handed on until a keyframe: a
// frame that refers to one that is missing would be shown torn.
type video struct {
	t       *track
	codec   media.Codec
	sets    *media.Sets // H.264 and HEVC
	problem string      // of the format: why it can't be carried

	track       media.Track // as announced last
	accepted    bool
	frameLength int64 // by the configuration, in ticks
	depthKnown  bool

	waiting bool // for a keyframe
	begun   bool // there has been one
	opening int  // type of the NAL unit that a whole keyframe began with; -1: none has come
	leading bool // behind an HEVC keyframe that others may precede: those are left out
	order   decodeOrder
	since   int // pictures since the keyframe
	nals    [][]byte
	standIn standIn
}

func newVideo(t *track, f sdp.Format) *video {
	v := &video{t: t, waiting: true, frameLength: int64(f.Clock) / 30, opening: -1}
	switch f.Encoding {
	case "H264":
		v.codec = media.CodecH264
		if f.Int("packetization-mode", 0) > 1 {
			v.problem = "its packets are interleaved: set packetization mode 1"
		}
	case "H265":
		v.codec = media.CodecHEVC
		if f.Int("sprop-max-don-diff", 0) > 0 {
			v.problem = "its packets are interleaved (sprop-max-don-diff): switch that off"
		}
	default:
		v.codec = media.CodecAV1
		return v
	}
	v.sets = media.NewSets(v.codec)
	for _, nal := range parameterSets(f.Param("sprop-parameter-sets"), f.Param("sprop-vps"), f.Param("sprop-sps"), f.Param("sprop-pps")) {
		v.sets.Add(nal)
	}
	return v
}

// announce tells the session of the track as the description has it, if that is enough.
func (v *video) announce() {
	if v.sets == nil {
		return
	}
	if config, err := v.sets.Config(nil); err == nil {
		v.configure(config)
	}
}

// configure announces a configuration, if it is news.
func (v *video) configure(config []byte) {
	if bytes.Equal(config, v.track.Config) {
		return
	}
	v.track = media.Track{ID: v.t.id, Codec: v.codec, Timescale: v.t.clock.rate, Config: config}
	v.accepted = v.t.feed.announce(v.t, v.track)
	v.standIn.configure(v.track)
	depth := 0
	depth, v.depthKnown = media.ReorderDepth(v.track)
	v.order.reset(depth)
	if f, err := media.ParseConfig(v.track); err == nil && f.FrameRate > 0 {
		v.frameLength = int64(float64(v.t.clock.rate)/f.FrameRate + 0.5)
	}
}

// isPicture reports whether a payload has some of a picture in it.
func (v *video) isPicture(p []byte) bool {
	switch v.codec {
	case media.CodecH264:
		const stapA, fuA = 24, 28
		if len(p) > 3 && p[0]&31 == stapA {
			return isSlice(v.codec, p[3:]) || len(p) > 64 // parameter sets travel together, and are short
		}
		if len(p) > 1 && p[0]&31 == fuA {
			return isSlice(v.codec, []byte{p[1] & 31})
		}
		return isSlice(v.codec, p)
	case media.CodecHEVC:
		const aggregate, fragment = 48, 49
		if len(p) > 4 && p[0]>>1&63 == aggregate {
			return isSlice(v.codec, p[4:]) || len(p) > 256
		}
		if len(p) > 2 && p[0]>>1&63 == fragment {
			return isSlice(v.codec, []byte{p[2] & 63 << 1})
		}
		return isSlice(v.codec, p)
	}
	return true
}

// isSlice reports whether nal has some of a picture in it.
func isSlice(c media.Codec, nal []byte) bool {
	const lastAVC, lastHEVC = 5, 31
	if len(nal) == 0 {
		return false
	}
	if c == media.CodecH264 {
		return nal[0]&31 >= 1 && nal[0]&31 <= lastAVC
	}
	return nal[0]>>1&63 <= lastHEVC
}

// lose notes that a frame can't be used: what follows has to wait for a keyframe.
func (v *video) lose(f rtp.Frame) {
	v.waiting = true
	if v.begun {
		at, _ := v.t.at(f)
		v.loseAt(at)
	}
}

// loseAt is lose for a frame whose time is known, in a track that has begun.
func (v *video) loseAt(at int64) {
	v.t.feed.count(countDropped, 1)
	v.fill(at)
}

// frame takes the next frame.
func (v *video) frame(f rtp.Frame) {
	if f.Continued && !f.Restart {
		// The frame before ended where its marker was, and was not whole.
		v.t.frames.Distrust()
		v.lose(f)
		return
	}
	if f.AfterGap || f.Restart {
		v.waiting = true
	}
	if f.Broken {
		v.lose(f)
		return
	}
	if v.codec == media.CodecAV1 {
		v.temporalUnit(f)
		return
	}
	v.picture(f)
}

// temporalUnit is frame for AV1.
func (v *video) temporalUnit(f rtp.Frame) {
	unit, header, err := rtp.AV1(f.Payloads)
	if err != nil {
		v.t.feed.malformed(err)
		v.lose(f)
		return
	}
	key := media.RandomAccess(media.Track{Codec: v.codec}, unit)
	if key && f.AfterGap && header == nil {
		v.lose(f) // its beginning is missing
		return
	}
	if header != nil {
		config, err := media.AV1Config(header)
		if err != nil {
			v.t.feed.malformed(err)
			v.lose(f)
			return
		}
		v.configure(config)
	}
	v.write(f, unit, key)
}

// picture is frame for H.264 and HEVC.
func (v *video) picture(f rtp.Frame) {
	var err error
	appendNALs := rtp.AppendH264
	if v.codec == media.CodecHEVC {
		appendNALs = rtp.AppendHEVC
	}
	v.nals, err = appendNALs(v.nals[:0], f.Payloads)
	if err != nil {
		v.t.feed.malformed(err)
		v.lose(f)
		return
	}
	news, size, slice, key, opening := false, 0, []byte(nil), false, nalType(v.codec, v.nals[0])
	kept := v.nals[:0]
	for _, nal := range v.nals {
		if isSet, changed := v.sets.Add(nal); isSet {
			news = news || changed
			continue
		}
		if isFiller(v.codec, nal) {
			continue
		}
		if isSlice(v.codec, nal) && slice == nil {
			slice, key = nal, isKey(v.codec, nal)
		}
		kept = append(kept, nal)
		size += 4 + len(nal)
	}
	switch {
	case slice == nil:
		if news && v.begun {
			v.waiting = !v.sameSets()
		}
		return // parameter sets, or messages, in a frame of their own
	case !beginsPicture(v.codec, slice):
		v.lose(f)
		return
	case key && f.AfterGap && opening != v.opening:
		v.lose(f) // its beginning is missing: parameter sets, perhaps
		return
	case key:
		v.opening = opening
		config, err := v.sets.Config(slice)
		if err != nil {
			v.lose(f)
			return
		}
		v.configure(config)
	case news && !v.sameSets():
		v.lose(f) // pictures that need other sets than viewers' decoders have
		return
	}
	if !v.follows(slice, key) {
		return
	}
	data := make([]byte, 0, size)
	for _, nal := range kept {
		data = append(binary.BigEndian.AppendUint32(data, uint32(len(nal))), nal...)
	}
	v.reorder(slice, key)
	v.write(f, data, key)
	clear(v.nals)
}

// sameSets reports whether the sets that have come still make the configuration that was announced.
func (v *video) sameSets() bool {
	config, err := v.sets.Config(nil)
	return err == nil && bytes.Equal(config, v.track.Config)
}

// follows reports whether an HEVC picture can be decoded after the keyframe that the track has begun with:
// pictures that come behind it and are shown before it may refer to what was before (RASL).
func (v *video) follows(slice []byte, key bool) bool {
	if v.codec != media.CodecHEVC {
		return true
	}
	const rasl1, rasl2, cra = 8, 9, 21
	typ := slice[0] >> 1 & 63
	switch {
	case key:
		v.leading = typ == cra && (v.waiting || !v.begun) || typ >= 16 && typ <= 18
		return true
	case typ == rasl1 || typ == rasl2:
		if v.leading {
			v.t.feed.count(countLeading, 1)
		}
		return !v.leading
	}
	return true
}

// reorder finds out whether pictures are out of order where the configuration does not say, by the picture
// order count: of a picture that others are shown before, it is ahead of the pictures that have come.
func (v *video) reorder(slice []byte, key bool) {
	if v.since++; key {
		v.since = 0
	}
	if v.depthKnown || v.since == 0 {
		return
	}
	order, span, ok := v.sets.PictureOrder(slice)
	if ok && order > 2*v.since && 4*v.since < span { // later, it may have wrapped
		depth := 1
		if order/2-v.since > 1 {
			depth = 2 // B-frames that others refer to
		}
		v.order.deepen(depth)
	}
}

// write hands a picture on.
func (v *video) write(f rtp.Frame, data []byte, key bool) {
	at, jumped := v.t.at(f)
	if jumped {
		v.waiting = true
	}
	if v.waiting && !key {
		if v.begun {
			v.loseAt(at)
		}
		return
	}
	if !v.accepted || len(data) == 0 {
		return
	}
	if v.waiting {
		if v.begun && !jumped {
			v.fillUpTo(at)
		}
		v.order.reset(v.order.depth)
	}
	v.waiting, v.begun = false, true
	dts := v.order.next(at, v.frameLength)
	v.t.clock.arrive(dts, f.Arrived, v.t.feed.begin)
	au := media.AccessUnit{Track: v.t.id, DTS: dts, PTS: at, RandomAccess: key, Data: data}
	v.standIn.see(au, v.codec)
	v.t.feed.write(au)
}

// nalType is what a NAL unit is, in its codec's numbers.
func nalType(c media.Codec, nal []byte) int {
	if c == media.CodecH264 {
		return int(nal[0] & 31)
	}
	return int(nal[0] >> 1 & 63)
}

func isKey(c media.Codec, slice []byte) bool {
	const idr, firstIRAP, lastIRAP = 5, 16, 21
	if c == media.CodecH264 {
		return slice[0]&31 == idr
	}
	typ := slice[0] >> 1 & 63
	return typ >= firstIRAP && typ <= lastIRAP
}

// beginsPicture reports whether a slice is the first of its picture: first_mb_in_slice is 0, or
// first_slice_segment_in_pic_flag is set.
func beginsPicture(c media.Codec, slice []byte) bool {
	if c == media.CodecH264 {
		return len(slice) > 1 && slice[1]&0x80 != 0
	}
	return len(slice) > 2 && slice[2]&0x80 != 0
}

// isFiller reports whether nal says nothing in an MP4 sample: a delimiter, an end, a filler.
func isFiller(c media.Codec, nal []byte) bool {
	if c == media.CodecH264 {
		typ := nal[0] & 31
		return typ >= 9 && typ <= 12
	}
	typ := nal[0] >> 1 & 63
	return typ >= 35 && typ <= 38
}
