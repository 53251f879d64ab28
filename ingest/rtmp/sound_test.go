package rtmp

import (
	"bytes"
	"reflect"
	"testing"

	"pushcart/ingest/rtmp/amf"
	"pushcart/ingest/rtmp/rtmptest"
	"pushcart/media"
)

// mp3Frame is a frame of layer III, silent, at 44.1 kHz.
func mp3Frame(channels byte) []byte {
	t := media.Track{Codec: media.CodecMP3, Timescale: 44100, Config: []byte{channels}}
	return media.Silence(t, media.Format{SampleRate: 44100, Channels: int(channels)})
}

// TestSoundForTranscoding: what such messages say of their track, and the units that become of the first one, at 100 ms.
func TestSoundForTranscoding(t *testing.T) {
	sound := make([]byte, 600)
	for i := range sound {
		sound[i] = byte(i)
	}
	swapped := bytes.Clone(sound[:20])
	for i := 0; i < len(swapped); i += 2 {
		swapped[i], swapped[i+1] = sound[i+1], sound[i]
	}
	mp3 := mp3Frame(2)
	type unit struct {
		dts  int64
		data []byte
	}
	for name, c := range map[string]struct {
		rate    float64 // in the metadata
		message []byte
		track   media.Track
		units   []unit
	}{
		"A-law": {0, append([]byte{0x72}, sound...), media.Track{Codec: media.CodecPCMA, Timescale: 8000, Config: []byte{1}},
			[]unit{{800, sound[:300]}, {1100, sound[300:]}}},
		"mu-law": {0, append([]byte{0x8E}, sound[:160]...), media.Track{Codec: media.CodecPCMU, Timescale: 8000, Config: []byte{1}},
			[]unit{{800, sound[:160]}}},
		"PCM": {0, append([]byte{0x3F}, sound[:20]...), media.Track{Codec: media.CodecL16, Timescale: 44100, Config: []byte{2}},
			[]unit{{4410, swapped}}},
		"PCM at 16 kHz": {16000, append([]byte{0x32}, sound[:20]...), media.Track{Codec: media.CodecL16, Timescale: 16000, Config: []byte{1}},
			[]unit{{1600, swapped}}},
		"PCM at 5.5 kHz": {96000, append([]byte{0x32}, sound[:21]...), media.Track{Codec: media.CodecL16, Timescale: 5512, Config: []byte{1}},
			[]unit{{551, swapped}}},
		"MP3": {0, append([]byte{0x2F}, append(bytes.Clone(mp3), mp3...)...), media.Track{Codec: media.CodecMP3, Timescale: 44100, Config: []byte{2}},
			[]unit{{4410, mp3}, {4410 + 1152, mp3}}},
		"enhanced MP3": {0, rtmptest.ExAudio(rtmptest.CodedFrames, ".mp3", mp3Frame(1)), media.Track{Codec: media.CodecMP3, Timescale: 44100, Config: []byte{1}},
			[]unit{{4410, mp3Frame(1)}}},
	} {
		t.Run(name, func(t *testing.T) {
			client, show, _, _ := host(t)
			client.WriteData(0, "onMetaData", amf.Array{{Name: "audiocodecid", Value: 7.0}, {Name: "audiosamplerate", Value: c.rate}, {Name: "audiodatarate", Value: 64.0}})
			client.WriteAudio(0, rtmptest.ExAudio(rtmptest.SequenceStart, ".mp3", nil))
			client.WriteAudio(100, c.message)
			client.WriteAudio(200, c.message)
			show.unit(t) // onMetaData
			for _, u := range c.units {
				want(t, show, media.AccessUnit{Track: audioTrackID, DTS: u.dts, PTS: u.dts, RandomAccess: true, Data: u.data})
			}
			c.track.ID, c.track.BitRate = audioTrackID, 64000
			if got, _ := show.Track(audioTrackID); !reflect.DeepEqual(got, c.track) {
				t.Errorf("the track is %+v\nwant %+v", got, c.track)
			}
			show.unit(t)
			show.Lock()
			defer show.Unlock()
			if n := len(show.Tracks); n != 2 { // the data track is the other one
				t.Errorf("tracks were announced %d times", n)
			}
		})
	}
}

// A host that changes from G.711 to AAC has its times in milliseconds again; layer II is refused with a sentence, but
// costs no more than itself within MP3; nonsense is only counted.
func TestSoundChanges(t *testing.T) {
	client, show, _, text := host(t)
	client.WriteAudio(100, append([]byte{0x72}, make([]byte, 160)...))
	client.WriteAudio(200, rtmptest.AACConfig(asc))
	client.WriteAudio(200, rtmptest.AACFrame([]byte("aac")))
	client.WriteAudio(300, []byte{0x2F, 0xFF, 0xFD, 0x90, 0x44})
	client.WriteAudio(400, []byte{0x2F, 'n', 'o', 'n', 'e'})
	client.WriteAudio(500, append([]byte{0x2F}, mp3Frame(2)...))
	client.WriteAudio(600, []byte{0x3F, 1})
	client.WriteAudio(700, []byte{0x3F, 1, 2, 3, 4})
	client.WriteAudio(800, append([]byte{0x2F}, mp3Frame(2)...))
	client.WriteAudio(900, []byte{0x2F, 0xFF, 0xFD, 0x90, 0x44})
	client.WriteAudio(1000, append([]byte{0x2F}, mp3Frame(2)...))
	for _, dts := range []int64{800, 200, 22050, 30870, 35280, 44100} {
		if au := show.unit(t); au.DTS != dts {
			t.Errorf("a unit at %d, want %d", au.DTS, dts)
		}
	}
	if text.count("layer II (MP2)") != 1 || text.count("AAC or Opus") != 1 {
		t.Error("the log does not say what is wrong with layer II")
	}
}

// ffmpeg publishes what it can in each of these codecs: every sample arrives.
func TestFFmpegSound(t *testing.T) {
	desk := newFakeDesk()
	addr := start(t, &Server{Opener: desk})
	for name, c := range map[string]struct {
		args  []string
		track media.Track
	}{
		"A-law": {[]string{"-c:a", "pcm_alaw", "-ar", "8000", "-ac", "1"}, media.Track{Codec: media.CodecPCMA, Timescale: 8000, Config: []byte{1}}},
		"PCM":   {[]string{"-c:a", "pcm_s16le", "-ar", "44100", "-ac", "2"}, media.Track{Codec: media.CodecL16, Timescale: 44100, Config: []byte{2}}},
		"PCM16": {[]string{"-c:a", "pcm_s16le", "-ar", "16000", "-ac", "1"}, media.Track{Codec: media.CodecL16, Timescale: 16000, Config: []byte{1}}},
		"MP3":   {[]string{"-c:a", "libmp3lame", "-ar", "48000", "-ac", "2"}, media.Track{Codec: media.CodecMP3, Timescale: 48000, Config: []byte{2}}},
	} {
		t.Run(name, func(t *testing.T) {
			args := append([]string{"-f", "lavfi", "-i", "sine=sample_rate=48000:duration=2"}, c.args...)
			if out, err := ffmpeg(t, append(args, "-f", "flv", "rtmp://"+addr+"/live/key")...).CombinedOutput(); err != nil {
				t.Fatalf("%v: %s", err, out)
			}
			show := desk.Next(t)
			show.Ended(t)
			got, _ := show.Track(audioTrackID)
			if got.Codec != c.track.Codec || got.Timescale != c.track.Timescale || !bytes.Equal(got.Config, c.track.Config) {
				t.Fatalf("the track is %+v", got)
			}
			f, err := media.ParseConfig(got)
			if err != nil {
				t.Fatal(err)
			}
			samples := int64(0)
			for len(show.units) > 0 {
				if au := <-show.units; au.Track == audioTrackID {
					n := media.UnitSamples(got.Codec, f, au.Data)
					if n > got.Timescale/20 || n < 1 {
						t.Errorf("a unit of %d samples", n)
					}
					samples += n
				}
			}
			const padding = 3 * 1152 // of LAME
			if want := 2 * got.Timescale; samples < want || samples > want+padding {
				t.Errorf("%d samples, want %d", samples, want)
			}
		})
	}
}
