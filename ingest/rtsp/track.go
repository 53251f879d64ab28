package rtsp

import (
	"encoding/base64"
	"encoding/hex"
	"fmt"
	"strings"
	"time"

	"pushcart/ingest/rtsp/rtp"
	"pushcart/ingest/rtsp/sdp"
	"pushcart/media"
)

// Track IDs are those of the RTMP door, so that a host who changes the protocol keeps the same renditions.
const (
	videoTrackID = 1
	audioTrackID = 2
	furtherID    = 3 // the first of further tracks
	maxTracks    = 8 // of one session
)

// track is one stream of a session, from its packets to its access units.
type track struct {
	feed    *feed
	kind    media.Kind
	id      int
	index   int // of the media section
	payload int // payload type

	clock    trackClock
	renewed  bool // the host has begun a new row of packets: the next frame's time has no predecessor
	sequence rtp.Sequencer
	reported rtp.Sequencer // its counts as they were last told
	jumps    int64
	frames   rtp.Assembler
	video    *video // or
	audio    *audio
}

// newTrack returns the track for a stream of the description, or a sentence that says why it can't be
// carried and what to set instead.
func newTrack(f *feed, kind media.Kind, m sdp.Media) (*track, string) {
	if len(m.Formats) == 0 {
		return nil, "its format is not given"
	}
	why := ""
	for _, format := range m.Formats {
		t := &track{feed: f, kind: kind, payload: format.PayloadType}
		t.clock.rate = int64(format.Clock)
		t.clock.reports.fractions = &f.reports
		t.sequence.Wait = f.wait
		if why = t.choose(format); why == "" {
			return t, ""
		}
	}
	return nil, why
}

// choose sets the track up for a format, or says why it can't be.
func (t *track) choose(f sdp.Format) string {
	switch name := codecName(f); {
	case f.Encoding == "" || f.Clock == 0:
		return "its format is not given"
	case t.kind == media.KindVideo && (f.Encoding == "H264" || f.Encoding == "H265" || f.Encoding == "AV1"):
		t.video = newVideo(t, f)
		t.frames.Picture = t.video.isPicture
		return t.video.problem
	case t.kind == media.KindAudio && sounds[f.Encoding]:
		t.audio = newAudio(t, f)
		return t.audio.problem
	case t.kind == media.KindVideo:
		return fmt.Sprintf("its codec, %s, can't be carried: set the video codec to H.264, HEVC (H.265) or AV1", name)
	default:
		return fmt.Sprintf("its codec, %s, can't be carried: set the audio codec to AAC (or Opus)", name)
	}
}

// sounds are the encodings of sound that the house takes.
var sounds = map[string]bool{
	"MPEG4-GENERIC": true, "MP4A-LATM": true, "OPUS": true, "PCMA": true, "PCMU": true, "L16": true, "G722": true, "MPA": true,
}

// codecName is what a person calls a format that the house does not take.
func codecName(f sdp.Format) string {
	switch f.Encoding {
	case "G723", "G728", "G729":
		return f.Encoding[:1] + "." + f.Encoding[1:]
	case "JPEG":
		return "Motion JPEG"
	case "MP4V-ES":
		return "MPEG-4 Part 2"
	case "L8", "L24":
		return "PCM (" + f.Encoding + ")"
	}
	if strings.HasPrefix(f.Encoding, "G726") || strings.HasPrefix(f.Encoding, "AAL2-G726") {
		return "G.726"
	}
	const longest = 32
	return strings.ToValidUTF8(f.Encoding[:min(len(f.Encoding), longest)], "?")
}

// push takes a packet off the wire.
func (t *track) push(p rtp.Packet) { t.sequence.Push(p, t.ordered) }

// expire gives up on packets that have not come.
func (t *track) expire(now time.Time) { t.sequence.Expire(now, t.ordered) }

// ordered takes a packet in its place.
func (t *track) ordered(p rtp.Ordered) {
	if t.audio != nil && t.audio.packetwise() {
		t.renewed = t.renewed || p.Restart
		if len(p.Payload) > 0 {
			t.audio.frame(rtp.Frame{Timestamp: p.Timestamp, Payloads: [][]byte{p.Payload}, Arrived: p.Arrived, AfterGap: p.Gap, Restart: p.Restart})
		}
		return
	}
	t.frames.Push(p, func(f rtp.Frame) {
		t.renewed = t.renewed || f.Restart
		if t.video != nil {
			t.video.frame(f)
		} else {
			t.audio.frame(f)
		}
	})
}

// at returns the time of a frame in the track's ticks.
func (t *track) at(f rtp.Frame) (at int64, jumped bool) {
	first := !t.clock.begun
	at, jumped = t.clock.time(f.Timestamp, f.Arrived, t.feed.begin, t.renewed)
	t.renewed = false
	if first {
		t.feed.align()
		at = t.clock.last + t.clock.shift
	}
	return at, jumped
}

// sets decodes the parameter sets of an SDP, separated by commas.
func parameterSets(lists ...string) [][]byte {
	const most = 16
	var nals [][]byte
	for _, list := range lists {
		for s := range strings.SplitSeq(list, ",") {
			nal, err := base64.StdEncoding.DecodeString(strings.TrimSpace(s))
			if err != nil || len(nal) == 0 || len(nals) == most {
				continue
			}
			// Some cameras leave the start code on.
			for len(nal) > 4 && nal[0] == 0 {
				nal = nal[1:]
			}
			if nal[0] == 1 && len(nal) > 1 {
				nal = nal[1:]
			}
			nals = append(nals, nal)
		}
	}
	return nals
}

// hexParam decodes a parameter in hexadecimal.
func hexParam(f sdp.Format, name string) ([]byte, error) {
	b, err := hex.DecodeString(f.Param(name))
	if err != nil {
		return nil, fmt.Errorf("its %s is not hexadecimal", name)
	}
	return b, nil
}
