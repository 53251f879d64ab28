package media_test

import (
	"encoding/hex"
	"encoding/json"
	"errors"
	"flag"
	"math"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"testing"

	"github.com/bluenviron/mediacommon/v2/pkg/codecs/h264"
	"github.com/bluenviron/mediacommon/v2/pkg/codecs/h265"
	"github.com/bluenviron/mediacommon/v2/pkg/codecs/mpeg4audio"

	"pushcart/media"
	"pushcart/media/mediatest/record"
)

var update = flag.Bool("update", false, "record the configurations anew, with ffmpeg")

const recorded = "testdata/configs.json"

// sample is the configuration of a real encoder, and what ffprobe says of the file it is from.
type sample struct {
	Made   string // ffmpeg's arguments
	Codec  media.Codec
	Config string // hexadecimal
	Probed probed
}

type probed struct {
	Width      int    `json:"width,omitempty"`
	Height     int    `json:"height,omitempty"`
	Aspect     string `json:"sample_aspect_ratio,omitempty"`
	Rate       string `json:"r_frame_rate"`
	Range      string `json:"color_range,omitempty"`
	Primaries  string `json:"color_primaries,omitempty"`
	Transfer   string `json:"color_transfer,omitempty"`
	Matrix     string `json:"color_space,omitempty"`
	SampleRate string `json:"sample_rate,omitempty"`
	Channels   int    `json:"channels,omitempty"`
}

// recipes are the arguments of the samples, with the size and rate of the test picture in front.
var recipes = map[string]string{
	"h264-baseline":   "176x144:r=15 -c:v libx264 -profile:v baseline -pix_fmt yuv420p",
	"h264-main":       "640x360:r=30 -c:v libx264 -profile:v main -pix_fmt yuv420p",
	"h264-1080":       "1920x1080:r=30000/1001 -c:v libx264 -pix_fmt yuv420p -colorspace bt709 -color_primaries bt709 -color_trc bt709",
	"h264-portrait":   "720x1280:r=25 -c:v libx264 -pix_fmt yuv420p",
	"h264-crop":       "638x358:r=50 -c:v libx264 -pix_fmt yuv420p",
	"h264-interlaced": "704x576:r=25 -vf setsar=16/11 -c:v libx264 -flags +ildct+ilme -pix_fmt yuv420p",
	"h264-anamorphic": "640x480:r=24 -vf setsar=33/25 -c:v libx264 -pix_fmt yuv420p",
	"h264-full-range": "320x240:r=60 -c:v libx264 -pix_fmt yuvj420p",
	"h264-10-bit":     "320x180:r=30 -c:v libx264 -pix_fmt yuv420p10le",
	"h264-422":        "322x182:r=30 -c:v libx264 -pix_fmt yuv422p",
	"h264-444":        "321x181:r=30 -c:v libx264 -pix_fmt yuv444p",
	"h264-gray":       "320x180:r=30 -c:v libx264 -pix_fmt gray",
	"h264-lists-hrd":  "640x360:r=30 -c:v libx264 -pix_fmt yuv420p -b:v 1M -maxrate 1M -bufsize 1M -x264-params cqm=jvt:nal-hrd=cbr:force-cfr=1",
	"hevc-main":       "640x360:r=30 -c:v libx265 -pix_fmt yuv420p",
	"hevc-1080":       "1920x1080:r=60000/1001 -c:v libx265 -x265-params info=0:log-level=error -pix_fmt yuv420p",
	"hevc-hdr":        "640x360:r=25 -c:v libx265 -x265-params info=0:log-level=error -pix_fmt yuv420p10le -color_primaries bt2020 -color_trc smpte2084 -colorspace bt2020nc",
	"hevc-422":        "322x182:r=30 -c:v libx265 -x265-params info=0:log-level=error -pix_fmt yuv422p10le",
	"hevc-444":        "322x182:r=30 -c:v libx265 -x265-params info=0:log-level=error -pix_fmt yuv444p",
	"hevc-anamorphic": "640x480:r=24 -vf setsar=4/3 -c:v libx265 -x265-params info=0:log-level=error -pix_fmt yuv420p",
	"hevc-layers":     "640x360:r=30 -c:v libx265 -pix_fmt yuv420p -x265-params info=0:temporal-layers=1:log-level=error",
	"hevc-lists-hrd":  "640x360:r=30 -c:v libx265 -pix_fmt yuv420p -x265-params info=0:scaling-list=default:hrd=1:vbv-maxrate=1000:vbv-bufsize=1000:high-tier=1:log-level=error",
	"hevc-opt-rps":    "640x360:r=30 -c:v libx265 -pix_fmt yuv420p -x265-params info=0:bframes=4:b-pyramid=1:ref=5:repeat-headers=0:multi-pass-opt-rps=1:pass=1:stats=/dev/null:log-level=none",
	"av1-aom":         "640x360:r=30 -c:v libaom-av1 -cpu-used 8 -pix_fmt yuv420p",
	"av1-aom-hdr":     "640x360:r=25 -c:v libaom-av1 -cpu-used 8 -pix_fmt yuv420p10le -color_primaries bt2020 -color_trc smpte2084 -colorspace bt2020nc",
	"av1-aom-444":     "322x182:r=30 -c:v libaom-av1 -cpu-used 8 -pix_fmt yuv444p",
	"av1-svt":         "720x1280:r=30 -c:v libsvtav1 -preset 12 -pix_fmt yuv420p",
	"av1-rav1e":       "320x180:r=30000/1001 -c:v librav1e -speed 10 -pix_fmt yuv420p -color_range pc",
	"aac-mono":        "anullsrc=r=48000:cl=mono -c:a aac",
	"aac-stereo":      "anullsrc=r=44100:cl=stereo -c:a aac",
	"aac-51":          "anullsrc=r=48000:cl=5.1 -c:a aac",
	"aac-8k":          "anullsrc=r=8000:cl=mono -c:a aac",
	"aac-96k":         "anullsrc=r=96000:cl=stereo -c:a aac",
	"opus-mono":       "anullsrc=r=48000:cl=mono -c:a libopus",
	"opus-stereo":     "anullsrc=r=48000:cl=stereo -c:a libopus",
	"opus-51":         "anullsrc=r=48000:cl=5.1 -c:a libopus -mapping_family 1",
	"opus-71":         "anullsrc=r=48000:cl=7.1 -c:a libopus -mapping_family 1",
}

func TestRecordConfigs(t *testing.T) {
	if !*update {
		t.Skip("only with -update")
	}
	all := map[string]sample{}
	for name, recipe := range recipes {
		source, args, _ := strings.Cut(recipe, " ")
		if !strings.HasPrefix(source, "anullsrc") {
			source = "testsrc2=s=" + source
		}
		args = "-f lavfi -i " + source + " -t 0.3 " + args
		t.Run(name, func(t *testing.T) {
			file := record.MP4(t, strings.Fields(args)...)
			track, _ := record.Track(t, file)
			all[name] = sample{Made: args, Codec: track.Codec, Config: hex.EncodeToString(track.Config), Probed: probe(t, file)}
		})
	}
	b, err := json.MarshalIndent(all, "", "  ")
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(recorded, append(b, '\n'), 0o644); err != nil {
		t.Fatal(err)
	}
}

func probe(t *testing.T, file []byte) probed {
	t.Helper()
	name := filepath.Join(t.TempDir(), "sample.mp4")
	if err := os.WriteFile(name, file, 0o644); err != nil {
		t.Fatal(err)
	}
	out, err := exec.CommandContext(t.Context(), "ffprobe", "-v", "error", "-show_streams", "-of", "json", name).Output()
	if err != nil {
		t.Fatal(err)
	}
	var p struct{ Streams []probed }
	if err := json.Unmarshal(out, &p); err != nil || len(p.Streams) != 1 {
		t.Fatalf("ffprobe: %d streams, %v", len(p.Streams), err)
	}
	return p.Streams[0]
}

func samples(t testing.TB) map[string]sample {
	t.Helper()
	b, err := os.ReadFile(recorded)
	if err != nil {
		t.Fatal(err)
	}
	var all map[string]sample
	if err := json.Unmarshal(b, &all); err != nil {
		t.Fatal(err)
	}
	return all
}

func (s sample) track(t testing.TB) media.Track {
	t.Helper()
	b, err := hex.DecodeString(s.Config)
	if err != nil {
		t.Fatal(err)
	}
	return media.Track{ID: 1, Codec: s.Codec, Timescale: 1000, Config: b}
}

// codecStrings were checked by hand against the configuration bytes and the specs.
var codecStrings = map[string]string{
	"h264-baseline":   "avc1.42c00a",
	"h264-main":       "avc1.4d401e",
	"h264-1080":       "avc1.640028",
	"h264-portrait":   "avc1.64001f",
	"h264-crop":       "avc1.64001f",
	"h264-interlaced": "avc1.64001e",
	"h264-anamorphic": "avc1.64001e",
	"h264-full-range": "avc1.640015",
	"h264-10-bit":     "avc1.6e000d",
	"h264-422":        "avc1.7a000d",
	"h264-444":        "avc1.f4000d",
	"h264-gray":       "avc1.64000d",
	"h264-lists-hrd":  "avc1.64001e",
	"hevc-main":       "hvc1.1.6.L63.90",
	"hevc-1080":       "hvc1.1.6.L123.90",
	"hevc-hdr":        "hvc1.2.4.L63.90",
	"hevc-422":        "hvc1.4.10.L60.9D.8",
	"hevc-444":        "hvc1.4.10.L60.9E.8",
	"hevc-anamorphic": "hvc1.1.6.L90.90",
	"hevc-layers":     "hvc1.1.6.L63.90",
	"hevc-lists-hrd":  "hvc1.1.6.L63.90",
	"hevc-opt-rps":    "hvc1.1.6.L63.90",
	"av1-aom":         "av01.0.01M.08",
	"av1-aom-hdr":     "av01.0.01M.10.0.110.09.16.09.0",
	"av1-aom-444":     "av01.1.00M.08.0.000.02.02.02.0",
	"av1-svt":         "av01.0.05M.08",
	"av1-rav1e":       "av01.0.31M.08.0.110.02.02.02.1",
	"aac-mono":        "mp4a.40.2",
	"aac-stereo":      "mp4a.40.2",
	"aac-51":          "mp4a.40.2",
	"aac-8k":          "mp4a.40.2",
	"aac-96k":         "mp4a.40.2",
	"opus-mono":       "Opus",
	"opus-stereo":     "Opus",
	"opus-51":         "Opus",
	"opus-71":         "Opus",
}

// ffprobe says the same of the file as ParseConfig of its configuration.
func TestParseConfig(t *testing.T) {
	all := samples(t)
	if len(all) != len(recipes) {
		t.Errorf("%d samples, %d recipes", len(all), len(recipes))
	}
	for name, s := range all {
		t.Run(name, func(t *testing.T) {
			track := s.track(t)
			f, err := media.ParseConfig(track)
			if err != nil {
				t.Fatal(err)
			}
			if want := codecStrings[name]; f.Codecs != want {
				t.Errorf("codecs %q, want %q", f.Codecs, want)
			}
			if track.Kind() == media.KindAudio {
				checkAudio(t, s, f)
			} else {
				checkVideo(t, s, f)
			}
		})
	}
}

func checkAudio(t *testing.T, s sample, f media.Format) {
	t.Helper()
	if strconv.Itoa(f.SampleRate) != s.Probed.SampleRate || f.Channels != s.Probed.Channels {
		t.Errorf("%d channels at %d Hz, ffprobe says %d at %s", f.Channels, f.SampleRate, s.Probed.Channels, s.Probed.SampleRate)
	}
	if s.Codec == media.CodecAAC {
		var c mpeg4audio.AudioSpecificConfig
		if err := c.Unmarshal(s.track(t).Config); err != nil || c.SampleRate != f.SampleRate {
			t.Errorf("mediacommon says %+v, %v", c, err)
		}
	}
	if want := map[media.Codec]int{media.CodecAAC: 1024}[s.Codec]; f.FrameSamples != want {
		t.Errorf("%d samples a frame, want %d", f.FrameSamples, want)
	}
}

// ffmpeg's names of code points (ISO/IEC 23091-2).
var (
	primaries = map[string]uint8{"": 2, "bt709": 1, "bt2020": 9, "smpte170m": 6}
	transfers = map[string]uint8{"": 2, "bt709": 1, "smpte2084": 16, "smpte170m": 6}
	matrices  = map[string]uint8{"": 2, "bt709": 1, "bt2020nc": 9, "smpte170m": 6, "gbr": 0, "bt470bg": 5}
)

func checkVideo(t *testing.T, s sample, f media.Format) {
	t.Helper()
	if f.CodedWidth != s.Probed.Width || f.CodedHeight != s.Probed.Height {
		t.Errorf("size %dx%d, ffprobe says %dx%d", f.CodedWidth, f.CodedHeight, s.Probed.Width, s.Probed.Height)
	}
	aspect := strconv.Itoa(f.AspectH) + ":" + strconv.Itoa(f.AspectV)
	if s.Probed.Aspect == "" {
		s.Probed.Aspect = "1:1"
	}
	if aspect != s.Probed.Aspect {
		t.Errorf("sample aspect %s, ffprobe says %s", aspect, s.Probed.Aspect)
	}
	if want := (2*f.CodedWidth*f.AspectH + f.AspectV) / (2 * f.AspectV); f.Width != want || f.Height != f.CodedHeight {
		t.Errorf("shown as %dx%d, want %dx%d", f.Width, f.Height, want, f.CodedHeight)
	}
	num, den, _ := strings.Cut(s.Probed.Rate, "/")
	n, _ := strconv.Atoi(num)
	d, _ := strconv.Atoi(den)
	if want := float64(n) / float64(d); f.FrameRate != 0 && math.Abs(f.FrameRate-want) > 0.001 {
		t.Errorf("%v frames a second, ffprobe says %v", f.FrameRate, want)
	}
	if f.FrameRate == 0 && s.Codec != media.CodecAV1 {
		t.Error("no frame rate")
	}
	or := func(v uint8) uint8 {
		if v == 0 && f.Color.Primaries == 0 {
			return 2
		}
		return v
	}
	c := media.Color{Primaries: or(f.Color.Primaries), Transfer: or(f.Color.Transfer), Matrix: or(f.Color.Matrix), FullRange: f.Color.FullRange}
	want := media.Color{
		Primaries: primaries[s.Probed.Primaries], Transfer: transfers[s.Probed.Transfer], Matrix: matrices[s.Probed.Matrix],
		FullRange: s.Probed.Range == "pc",
	}
	if c != want {
		t.Errorf("colour %+v, ffprobe says %+v", c, want)
	}
	secondOpinion(t, s, f)
}

// secondOpinion asks mediacommon about the SPS.
func secondOpinion(t *testing.T, s sample, f media.Format) {
	t.Helper()
	config := s.track(t).Config
	switch s.Codec {
	case media.CodecH264:
		n := int(config[6])<<8 | int(config[7])
		var sps h264.SPS
		if err := sps.Unmarshal(config[8 : 8+n]); err != nil {
			t.Fatal(err)
		}
		if sps.Width() != f.CodedWidth || sps.Height() != f.CodedHeight || math.Abs(sps.FPS()-f.FrameRate) > 0.001 {
			t.Errorf("mediacommon says %dx%d, %v", sps.Width(), sps.Height(), sps.FPS())
		}
	case media.CodecHEVC:
		for nal := range hvccUnits(config) {
			if nal[0]>>1&63 != 33 {
				continue
			}
			var sps h265.SPS
			if err := sps.Unmarshal(nal); err != nil {
				t.Logf("mediacommon can't read the SPS: %v", err)
				continue
			}
			if sps.Width() != f.CodedWidth || sps.Height() != f.CodedHeight || math.Abs(sps.FPS()-f.FrameRate) > 0.001 {
				t.Errorf("mediacommon says %dx%d, %v", sps.Width(), sps.Height(), sps.FPS())
			}
		}
	}
}

// hvccUnits iterates over the parameter sets of a valid HEVCDecoderConfigurationRecord.
func hvccUnits(b []byte) func(func([]byte) bool) {
	return func(yield func([]byte) bool) {
		arrays := int(b[22])
		b = b[23:]
		for range arrays {
			n := int(b[1])<<8 | int(b[2])
			b = b[3:]
			for range n {
				size := int(b[0])<<8 | int(b[1])
				if !yield(b[2 : 2+size]) {
					return
				}
				b = b[2+size:]
			}
		}
	}
}

func TestUnsupportedCodec(t *testing.T) {
	for _, c := range []media.Codec{media.CodecAMF0, "", "vp9"} {
		if _, err := media.ParseConfig(media.Track{Codec: c, Config: []byte{1}}); !errors.Is(err, media.ErrUnsupported) {
			t.Errorf("%q: %v, want ErrUnsupported", c, err)
		}
	}
}
