package rtsp

import (
	"bytes"

	"pushcart/ingest/rtsp/rtp"
	"pushcart/ingest/rtsp/sdp"
	"pushcart/media"
)

// audio makes access units of an audio track's frames. What a hole has swallowed is replaced by silence, to
// the sample.
type audio struct {
	t       *track
	opus    bool
	latm    *rtp.LATM // or
	headers rtp.AACHeaders
	mpeg    rtp.MPEGAudio
	problem string // of the format: why it can't be carried

	track    media.Track // as announced last; its timescale need not be the clock of the packets
	format   media.Format
	accepted bool
	refused  bool // what comes can't be used, which has been said
	silence  []byte

	begun bool
	due   int64 // the time of the next unit, in ticks of the track
}

func newAudio(t *track, f sdp.Format) *audio {
	a := &audio{t: t}
	a.track = media.Track{Timescale: t.clock.rate}
	switch f.Encoding {
	case "OPUS":
		a.opus = true
		a.track.Codec = media.CodecOpus
		if f.Param("sprop-stereo") == "1" {
			a.track.Config = opusHead(2)
		}
	case "MP4A-LATM":
		a.track.Codec = media.CodecAAC
		a.problem = a.readLATM(f)
	case "PCMA", "PCMU", "L16", "G722", "MPA":
		a.problem = a.readSound(f)
	default:
		a.track.Codec = media.CodecAAC
		a.problem = a.readGeneric(f)
	}
	return a
}

// readGeneric reads the parameters of RFC 3640.
func (a *audio) readGeneric(f sdp.Format) string {
	const maxBits = 32
	a.headers = rtp.AACHeaders{Size: f.Int("sizelength", 13), Index: f.Int("indexlength", 3), Delta: f.Int("indexdeltalength", 3)}
	if a.headers.Size == 0 || a.headers.Size > maxBits || a.headers.Index > maxBits || a.headers.Delta > maxBits {
		return "the lengths in its AAC headers make no sense"
	}
	config, err := hexParam(f, "config")
	if err != nil {
		return err.Error()
	}
	a.track.Config = config
	return ""
}

// readLATM reads the parameters of RFC 6416. The configuration is in band unless cpresent is 0, which
// is the other way round with encoders that give one and leave cpresent out.
func (a *audio) readLATM(f sdp.Format) string {
	mux, err := hexParam(f, "config")
	if err != nil {
		return err.Error()
	}
	a.latm = &rtp.LATM{InBand: f.Int("cpresent", 1) == 1 && len(mux) == 0 || f.Param("cpresent") == "1"}
	if len(mux) == 0 {
		return ""
	}
	if err := a.latm.ParseMux(mux); err != nil {
		return err.Error()
	}
	a.track.Config = a.latm.Config()
	return ""
}

// opusHead is the configuration of a stream with one or two channels (RFC 7845 5.1): no pre-skip, since
// nothing says where the host began.
func opusHead(channels byte) []byte {
	return []byte{1, channels, 0, 0, 0x80, 0xBB, 0, 0, 0, 0, 0}
}

// announce tells the session of the track, if its configuration is known. It reports whether it may be
// written to.
func (a *audio) announce() bool {
	if a.track.Config == nil || a.t.feed == nil {
		return false
	}
	a.track.ID = a.t.id
	a.accepted = a.t.feed.announce(a.t, a.track)
	f, err := media.ParseConfig(a.track)
	if err != nil || !a.accepted {
		return false
	}
	a.format, a.silence = f, media.Silence(a.track, f)
	return true
}

// frame takes the next frame.
func (a *audio) frame(f rtp.Frame) {
	if f.Broken {
		return
	}
	units, err := a.units(f)
	if err != nil {
		a.t.feed.malformed(err)
	}
	if len(units) == 0 {
		return
	}
	clock, scale := a.t.clock.rate, a.track.Timescale
	ticks, jumped := a.t.at(f)
	if !a.accepted {
		return
	}
	at := media.Rescale(ticks, clock, scale)
	if f.AfterGap && a.begun && !jumped {
		a.fill(at)
	}
	last := at
	for _, unit := range units {
		length := a.unitLength(unit)
		if length == 0 {
			a.t.feed.malformed(rtp.FormatError("a packet of sound makes no sense"))
			continue
		}
		a.t.feed.write(media.AccessUnit{Track: a.t.id, DTS: at, PTS: at, RandomAccess: true, Data: unit})
		last, at = at, at+length
	}
	// A packet can't be sent before its last unit is there. ffmpeg waits for up to 0.7 s to fill one.
	a.t.clock.arrive(media.Rescale(last, scale, clock), f.Arrived, a.t.feed.begin)
	a.begun, a.due = true, at
}

// units takes a frame apart.
func (a *audio) units(f rtp.Frame) ([][]byte, error) {
	switch {
	case a.opus:
		packet := f.Payloads[0]
		if a.track.Config == nil {
			// An SDP need not say so, but the packets do.
			const stereo = 4
			a.track.Config = opusHead(1 + packet[0]&stereo/stereo)
			a.announce()
		}
		return f.Payloads, nil
	case a.latm != nil:
		units, changed, err := a.latm.Units(f.Payloads)
		if changed && err == nil && !bytes.Equal(a.track.Config, a.latm.Config()) {
			a.track.Config = a.latm.Config()
			a.announce()
		}
		return units, err
	case a.track.Codec.ForTranscoding():
		return a.soundUnits(f)
	}
	units, err := a.headers.Units(f.Payloads)
	for i := range units {
		units[i] = rtp.StripADTS(units[i])
	}
	return units, err
}

// unitLength is how long a unit lasts, in ticks of the track; zero for nonsense.
func (a *audio) unitLength(unit []byte) int64 {
	return media.Rescale(media.UnitSamples(a.track.Codec, a.format, unit), int64(a.format.SampleRate), a.track.Timescale)
}

// fill puts silence where units are missing before at. A larger hole is left to the session.
func (a *audio) fill(at int64) {
	const most = 25
	if a.silence == nil {
		return
	}
	length := a.unitLength(a.silence)
	if length == 0 { // the clock is so slow that a unit lasts less than a tick
		return
	}
	missing := (at - a.due + length/2) / length
	if missing < 1 || missing > most {
		return
	}
	for i := range missing {
		t := at - (missing-i)*length
		a.t.feed.write(media.AccessUnit{Track: a.t.id, DTS: t, PTS: t, RandomAccess: true, Data: a.silence})
	}
	a.t.feed.count(countFilled, missing)
}
