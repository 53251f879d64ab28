package rtsp

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"reflect"
	"strings"
	"testing"
	"time"

	"pushcart/ingest/rtsp/rtp"
	"pushcart/ingest/rtsp/sdp"
	"pushcart/media"
)

// soundFeed is a feed of one audio stream, at a time of the test's own.
type soundFeed struct {
	*feed
	show *fakeShow
	now  time.Time
	seq  uint16
}

func newSoundFeed(t *testing.T, media string) *soundFeed {
	t.Helper()
	s, err := sdp.Parse([]byte(media))
	if err != nil {
		t.Fatal(err)
	}
	f, refused, err := newFeed(s, 0)
	if err != nil {
		t.Fatal(err)
	}
	sf := &soundFeed{feed: f, show: newFakeShow(), now: time.Unix(1000, 0)}
	f.open(sf.show, refused)
	return sf
}

// packet sends one that arrives so much later than the one before.
func (f *soundFeed) packet(after time.Duration, timestamp uint32, payload []byte) {
	f.now = f.now.Add(after)
	f.seq++
	f.push(f.tracks[0], rtp.Packet{Sequence: f.seq, Timestamp: timestamp, Payload: payload, Arrived: f.now})
}

// mp3 is a silent frame.
func mp3(rate int, channels byte) []byte {
	return media.Silence(media.Track{Codec: media.CodecMP3, Timescale: int64(rate), Config: []byte{channels}}, media.Format{SampleRate: rate, Channels: int(channels)})
}

func TestSound(t *testing.T) {
	frame := mp3(44100, 2)
	for name, c := range map[string]struct {
		media   string
		track   media.Track
		payload []byte
		clock   uint32  // ticks of the packets from one to the next
		units   []int64 // samples in each of one packet
	}{
		"payload type 0":  {"m=audio 0 RTP/AVP 0", media.Track{Codec: media.CodecPCMU, Timescale: 8000, Config: []byte{1}}, make([]byte, 160), 160, []int64{160}},
		"payload type 8":  {"m=audio 0 RTP/AVP 8", media.Track{Codec: media.CodecPCMA, Timescale: 8000, Config: []byte{1}}, make([]byte, 320), 320, []int64{320}},
		"long packets":    {"m=audio 0 RTP/AVP 8", media.Track{Codec: media.CodecPCMA, Timescale: 8000, Config: []byte{1}}, make([]byte, 1400), 1400, []int64{280, 280, 280, 280, 280}},
		"payload type 9":  {"m=audio 0 RTP/AVP 9", media.Track{Codec: media.CodecG722, Timescale: 16000, Config: []byte{1}}, make([]byte, 160), 160, []int64{320}},
		"payload type 10": {"m=audio 0 RTP/AVP 10", media.Track{Codec: media.CodecL16, Timescale: 44100, Config: []byte{2}}, make([]byte, 1400), 350, []int64{350}},
		"payload type 11": {"m=audio 0 RTP/AVP 11", media.Track{Codec: media.CodecL16, Timescale: 44100, Config: []byte{1}}, make([]byte, 1400), 700, []int64{700}},
		"payload type 14": {"m=audio 0 RTP/AVP 14", media.Track{Codec: media.CodecMP3, Timescale: 44100, Config: []byte{2}},
			append([]byte{0, 0, 0, 0}, bytes.Repeat(frame, 2)...), 2 * 1152 * 90000 / 44100, []int64{1152, 1152}},
		"G.711 at 16 kHz": {"m=audio 0 RTP/AVP 97\na=rtpmap:97 pcma/16000/2", media.Track{Codec: media.CodecPCMA, Timescale: 16000, Config: []byte{2}}, make([]byte, 640), 320, []int64{320}},
		"PCM at 48 kHz":   {"m=audio 0 RTP/AVP 97\na=rtpmap:97 L16/48000/2", media.Track{Codec: media.CodecL16, Timescale: 48000, Config: []byte{2}}, make([]byte, 960), 240, []int64{240}},
		"G.722 by name":   {"m=audio 0 RTP/AVP 97\na=rtpmap:97 G722/8000/1", media.Track{Codec: media.CodecG722, Timescale: 16000, Config: []byte{1}}, make([]byte, 80), 80, []int64{160}},
	} {
		t.Run(name, func(t *testing.T) {
			f := newSoundFeed(t, c.media)
			step := media.Duration(int64(c.clock), f.tracks[0].clock.rate)
			ts := uint32(1<<32 - 3*int64(c.clock)) // it wraps
			const packets = 20
			for range packets {
				f.packet(step, ts, c.payload)
				ts += c.clock
			}
			c.track.ID = audioTrackID
			if got := f.show.track(t, audioTrackID); !reflect.DeepEqual(got, c.track) {
				t.Errorf("the track is %+v\nwant %+v", got, c.track)
			}
			units := f.show.of(audioTrackID)
			if len(units) != packets*len(c.units) {
				t.Fatalf("%d units", len(units))
			}
			format, _ := media.ParseConfig(c.track)
			for i, au := range units {
				n := c.units[i%len(c.units)]
				if got := media.UnitSamples(c.track.Codec, format, au.Data); got != n {
					t.Errorf("unit %d has %d samples, want %d", i, got, n)
				}
				if i+1 < len(units) {
					if d := units[i+1].DTS - au.DTS - n; d < -1 || d > 1 { // MP3's times are rounded to the packets' clock
						t.Errorf("unit %d at %d, the next one at %d", i, au.DTS, units[i+1].DTS)
					}
				}
			}
			if len(f.show.remarks) > 0 || len(f.show.counts) > 0 {
				t.Errorf("remarks %q, counts %v", f.show.remarks, f.show.counts)
			}
		})
	}
}

// Packets of G.711 that are lost are silence, to the sample.
func TestSoundLost(t *testing.T) {
	f := newSoundFeed(t, "m=audio 0 RTP/AVP 8")
	for i := range uint32(100) {
		if i > 10 && i%10 == 0 {
			f.seq++
			f.now = f.now.Add(20 * time.Millisecond)
			continue
		}
		f.packet(20*time.Millisecond, i*160, bytes.Repeat([]byte{1}, 160))
	}
	f.now = f.now.Add(time.Second)
	f.tick(f.now)
	units := f.show.of(audioTrackID)
	silent := 0
	for i, au := range units {
		if want := units[0].DTS + int64(i)*160; au.DTS != want {
			t.Fatalf("unit %d at %d, want %d", i, au.DTS, want)
		}
		if au.Data[0] != 1 {
			silent++
		}
	}
	if len(units) != 100 || silent != 8 || f.show.counts[countFilled] != 8 {
		t.Errorf("%d units, %d of them silent, %d counted", len(units), silent, f.show.counts[countFilled])
	}
}

// Clocks so slow that a unit lasts less than a tick make no sense, and no harm where packets are lost.
func TestSoundSlowClock(t *testing.T) {
	for description, payload := range map[string][]byte{
		"m=audio 0 RTP/AVP 97\na=rtpmap:97 MPEG4-GENERIC/10/2\na=fmtp:97 sizelength=13;indexlength=3;indexdeltalength=3;config=1190": {0, 16, 0, 8, 1},
		"m=audio 0 RTP/AVP 97\na=rtpmap:97 OPUS/10/2\na=fmtp:97 sprop-stereo=1":                                                      {0xFC, 0xFF, 0xFE},
	} {
		f := newSoundFeed(t, description)
		for i := range uint32(3) {
			f.push(f.tracks[0], rtp.Packet{
				Sequence: uint16(2 * i), Timestamp: 10 * i, Marker: true, Payload: payload, Arrived: f.now.Add(time.Duration(i) * time.Second),
			})
		}
		f.tick(f.now.Add(5 * time.Second))
		if n := f.show.counts[countMalformed]; n < 2 {
			t.Errorf("%s: %d packets are malformed, want 2 at least", description, n)
		}
	}
}

// MP3 frames in fragments, with one lost, and other settings in the middle. Nonsense, and a frame of layer II, cost
// what they are; where there is nothing else, the track is left out with a sentence.
func TestMPEGAudio(t *testing.T) {
	fragment := func(offset int, data []byte) []byte {
		return append(binary.BigEndian.AppendUint32(nil, uint32(offset)), data...)
	}
	frame, layerII := mp3(48000, 2), []byte{0xFF, 0xFD, 0x90, 0x44}
	f := newSoundFeed(t, "m=audio 0 RTP/AVP 14")
	const ms24 = 2160
	f.packet(0, 0, fragment(0, frame))
	f.packet(0, ms24, fragment(0, frame[:50]))
	f.packet(0, ms24, fragment(50, frame[50:70]))
	f.packet(0, ms24, fragment(70, frame[70:]))
	f.packet(0, 2*ms24, fragment(0, frame[:50]))
	f.seq++ // lost
	f.packet(0, 2*ms24, fragment(70, frame[70:]))
	f.packet(0, 3*ms24, fragment(0, mp3(48000, 1)))
	f.packet(0, 4*ms24, fragment(0, nil))
	f.packet(0, 4*ms24, fragment(0, []byte("nonsense")))
	f.packet(0, 4*ms24, fragment(0, layerII))
	f.packet(0, 5*ms24, fragment(0, mp3(48000, 1)))
	f.tick(f.now.Add(time.Second))
	units := f.show.of(audioTrackID)
	if len(units) != 4 || units[3].DTS != units[0].DTS+5*1152 || !bytes.Equal(units[1].Data, frame) || units[1].DTS != units[0].DTS+1152 {
		t.Errorf("%d units: %+v", len(units), units)
	}
	if got := f.show.track(t, audioTrackID); !bytes.Equal(got.Config, []byte{1}) {
		t.Errorf("the track is %+v", got)
	}
	if strings.Contains(strings.Join(f.show.remarks, "\n"), "left out: its codec") || f.show.counts[countMalformed] != 4 {
		t.Errorf("remarks %q, counts %v", f.show.remarks, f.show.counts)
	}

	f = newSoundFeed(t, "m=audio 0 RTP/AVP 14")
	f.packet(0, 0, fragment(0, layerII))
	f.packet(0, ms24, fragment(0, layerII))
	if len(f.show.remarks) != 1 || !strings.Contains(f.show.remarks[0], "layer II (MP2)") || !strings.Contains(f.show.remarks[0], "AAC") {
		t.Errorf("remarks %q", f.show.remarks)
	}
	f.packet(0, 2*ms24, fragment(0, frame))
	if n := len(f.show.of(audioTrackID)); n != 1 {
		t.Errorf("%d units after MP3 has come", n)
	}
}

// Formats that make no sense, or can't be carried, are refused with a sentence.
func TestSoundRefused(t *testing.T) {
	for description, want := range map[string]string{
		"m=audio 0 RTP/AVP 97\na=rtpmap:97 G722/16000":    "sampling rate of 32000 Hz",
		"m=audio 0 RTP/AVP 97\na=rtpmap:97 G722/8000/2":   "2 channels",
		"m=audio 0 RTP/AVP 97\na=rtpmap:97 L16/48000/12":  "12 channels",
		"m=audio 0 RTP/AVP 97\na=rtpmap:97 PCMA/8000/257": "257 channels",
		"m=audio 0 RTP/AVP 97\na=rtpmap:97 L16/400000":    "sampling rate of 400000 Hz",
		"m=audio 0 RTP/AVP 97\na=rtpmap:97 L24/48000/2":   "PCM (L24)",
		"m=audio 0 RTP/AVP 97\na=rtpmap:97 G726-32/8000":  "G.726",
		"m=audio 0 RTP/AVP 18":                            "G.729",
		"m=audio 0 RTP/AVP 97\na=rtpmap:97 PCMA":          "format is not given",
		"m=video 0 RTP/AVP 97\na=rtpmap:97 PCMA/8000":     "set the video codec",
	} {
		s, err := sdp.Parse([]byte(description))
		if err != nil {
			t.Fatal(err)
		}
		if _, _, err = newFeed(s, 0); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%q: %v, want something with %q", description, err, want)
		}
	}
}

// ffmpeg's packets: every sample arrives, in short units one behind the other.
func TestFFmpegSound(t *testing.T) {
	desk := newFakeDesk()
	addr := start(t, &Server{Opener: desk})
	for name, c := range map[string]struct {
		args  []string
		track media.Track
	}{
		"A-law": {[]string{"-c:a", "pcm_alaw", "-ar", "8000", "-ac", "1"}, media.Track{Codec: media.CodecPCMA, Timescale: 8000, Config: []byte{1}}},
		"G.722": {[]string{"-c:a", "g722", "-ar", "16000", "-ac", "1"}, media.Track{Codec: media.CodecG722, Timescale: 16000, Config: []byte{1}}},
		"PCM":   {[]string{"-c:a", "pcm_s16be", "-ar", "48000", "-ac", "2"}, media.Track{Codec: media.CodecL16, Timescale: 48000, Config: []byte{2}}},
		"MP3":   {[]string{"-c:a", "libmp3lame", "-ar", "44100", "-ac", "2"}, media.Track{Codec: media.CodecMP3, Timescale: 44100, Config: []byte{2}}},
	} {
		t.Run(name, func(t *testing.T) {
			args := append([]string{"-re", "-f", "lavfi", "-i", "sine=sample_rate=48000:duration=2"}, c.args...)
			if out, err := ffmpeg(t, append(args, "-f", "rtsp", "-rtsp_transport", "tcp", fmt.Sprintf("rtsp://%s/live/key", addr))...).CombinedOutput(); err != nil {
				t.Fatalf("%v: %s", err, out)
			}
			show := desk.Next(t)
			show.Ended(t)
			got := show.track(t, audioTrackID)
			if got.Codec != c.track.Codec || got.Timescale != c.track.Timescale || !bytes.Equal(got.Config, c.track.Config) {
				t.Fatalf("the track is %+v", got)
			}
			f, err := media.ParseConfig(got)
			if err != nil {
				t.Fatal(err)
			}
			units := show.of(audioTrackID)
			samples := int64(0)
			for i, au := range units {
				n := media.UnitSamples(got.Codec, f, au.Data)
				if n < 1 || n > got.Timescale/20 {
					t.Errorf("a unit of %d samples", n)
				}
				if d := au.DTS - units[0].DTS - samples; d < -1 || d > 1 {
					t.Fatalf("unit %d is %d samples off", i, d)
				}
				samples += n
			}
			const padding = 3 * 1152 // of LAME; G.722 ends with a whole packet
			if want := 2 * got.Timescale; samples < want-got.Timescale/10 || samples > want+padding {
				t.Errorf("%d samples, want %d", samples, want)
			}
		})
	}
}
