package transcode

import (
	"fmt"
	"strings"
	"testing"

	"pushcart/media"
)

func TestPlan(t *testing.T) {
	rungs := Config{Shows: []Ladder{{Match: "*", Rungs: []Rung{
		{ShortSide: 1080, BitRate: 4_000_000},
		{ShortSide: 720, BitRate: 2_500_000},
		{ShortSide: 360, BitRate: 700_000, FrameRate: 30},
		{ShortSide: 480, BitRate: 1_200_000},
	}}}}.WithDefaults().Shows[0].Rungs
	size := func(w, h int) media.Format { return media.Format{Width: w, Height: h} }
	for name, c := range map[string]struct {
		track media.Track
		f     media.Format
		rate  float64
		want  string
		sent  map[int]bool
	}{
		"1080p of unknown rate":   {media.Track{FrameRate: 30}, size(1920, 1080), 0, "3:640x360@0.7M 4:854x480@1.2M 2:1280x720@2.5M", nil},
		"1080p of 8 Mb/s":         {media.Track{FrameRate: 30}, size(1920, 1080), 8e6, "3:640x360@0.7M 4:854x480@1.2M 2:1280x720@2.5M 1:1920x1080@4M", nil},
		"1080p of 5 Mb/s":         {media.Track{FrameRate: 29.97}, size(1920, 1080), 5e6, "3:640x360@0.7M 4:854x480@1.2M 2:1280x720@2.5M", nil},
		"1080p60 of 2 Mb/s":       {media.Track{FrameRate: 60}, size(1920, 1080), 2e6, "3:640x360@0.7M half 4:854x480@1.2M 2:1280x720@1.7M", nil},
		"a phone held upright":    {media.Track{FrameRate: 30}, size(1080, 1920), 0, "3:360x640@0.7M 4:480x854@1.2M 2:720x1280@2.5M", nil},
		"of unknown frame rate":   {media.Track{}, size(1280, 720), 0, "3:640x360@0.7M half 4:854x480@1.2M", nil},
		"4:3":                     {media.Track{FrameRate: 25}, size(640, 480), 0, "3:480x360@0.7M", nil},
		"HDR":                     {media.Track{}, media.Format{Width: 1920, Height: 1080, Color: media.Color{Transfer: transferHLG}}, 0, "the host sends HDR", nil},
		"smaller than all rungs":  {media.Track{}, size(426, 240), 0, "larger than the host's 426x240", nil},
		"a host with two tracks":  {media.Track{FrameRate: 30}, size(1920, 1080), 0, "3:640x360@0.7M 4:854x480@1.2M", map[int]bool{720: true}},
		"a host with all of them": {media.Track{FrameRate: 30}, size(1280, 720), 0, "the host sends its rungs itself", map[int]bool{360: true, 480: true}},
	} {
		targets, got := plan(rungs, c.track, c.f, c.rate, c.sent)
		for _, g := range targets {
			got += fmt.Sprintf("%d:%dx%d@%gM ", g.id, g.width, g.height, float64(g.BitRate)/1e6)
			if g.decimate {
				got += "half "
			}
		}
		if got = strings.TrimSpace(got); !strings.Contains(got, c.want) || len(targets) > 0 && got != c.want {
			t.Errorf("%s: %q, want %q", name, got, c.want)
		}
	}
}

func TestConfig(t *testing.T) {
	if err := (Config{}).Validate(); err != nil {
		t.Error(err)
	}
	good := Rung{ShortSide: 720, BitRate: 2_500_000}
	for _, c := range []struct {
		change func(*Config, *Ladder, *Rung)
		want   string
	}{
		{func(*Config, *Ladder, *Rung) {}, ""},
		{func(_ *Config, _ *Ladder, r *Rung) { r.Encoder = "hevc_nvenc" }, ""},
		{func(_ *Config, _ *Ladder, r *Rung) { r.Codec = "av1" }, ""},
		{func(c *Config, _ *Ladder, _ *Rung) { c.MaxShows = -1 }, "max_shows is -1"},
		{func(c *Config, _ *Ladder, _ *Rung) { c.Nice = 20 }, "nice is 20"},
		{func(_ *Config, l *Ladder, _ *Rung) { l.Match = "" }, `shows[0].match is ""`},
		{func(_ *Config, l *Ladder, _ *Rung) { l.Match = "[" }, `shows[0].match is "["`},
		{func(_ *Config, l *Ladder, r *Rung) { l.Rungs = make([]Rung, 9) }, "shows[0].rungs has 9 entries"},
		{func(_ *Config, _ *Ladder, r *Rung) { r.ShortSide = 721 }, "shows[0].rungs[0].short_side is 721"},
		{func(_ *Config, _ *Ladder, r *Rung) { r.BitRate = 5 }, "shows[0].rungs[0].bitrate is 0.005k"},
		{func(_ *Config, _ *Ladder, r *Rung) { r.FrameRate = 0.5 }, "shows[0].rungs[0].frame_rate is 0.5"},
		{func(_ *Config, _ *Ladder, r *Rung) { r.AudioBitRate = 8000 }, "shows[0].rungs[0].audio_bitrate is 8k: it must be between 16k and 512k"},
		{func(_ *Config, _ *Ladder, r *Rung) { r.Codec = "vp9" }, `shows[0].rungs[0].codec is "vp9"`},
		{func(_ *Config, _ *Ladder, r *Rung) { r.Encoder = "mpeg4" }, `shows[0].rungs[0].encoder is "mpeg4"`},
		{func(_ *Config, _ *Ladder, r *Rung) { r.Codec, r.Encoder = "h264", "libx265" }, "which makes hevc and not h264"},
	} {
		r := good
		l := Ladder{Match: "*"}
		var cfg Config
		c.change(&cfg, &l, &r)
		if l.Rungs == nil {
			l.Rungs = []Rung{r}
		}
		cfg.Shows = []Ladder{l}
		err := cfg.Validate()
		if c.want == "" && err != nil || c.want != "" && (err == nil || !strings.Contains(err.Error(), c.want)) {
			t.Errorf("%v, want %q", err, c.want)
		}
	}
}

func TestBitRate(t *testing.T) {
	for text, want := range map[string]BitRate{"800k": 800_000, "2.5M": 2_500_000, "64k": 64_000, "0k": 0, "1234.5k": 1_234_500} {
		var r BitRate
		if err := r.UnmarshalText([]byte(text)); err != nil || r != want {
			t.Errorf("%s: %d, %v", text, r, err)
		}
	}
	for _, text := range []string{"", "k", "800", "-1k", "1e9M", "NaNk", "12x", "2.5 M"} {
		var r BitRate
		if err := r.UnmarshalText([]byte(text)); err == nil {
			t.Errorf("%q is %v", text, r)
		}
	}
	for r, want := range map[BitRate]string{800_000: "800k", 2_500_000: "2.5M", 1_234_500: "1234.5k", 10_000_000: "10M"} {
		if got := r.String(); got != want {
			t.Errorf("%s, want %s", got, want)
		}
	}
}

func TestLadderOf(t *testing.T) {
	cfg := Config{Shows: []Ladder{{Match: "shop-1", Rungs: make([]Rung, 1)}, {Match: "shop-*", Rungs: make([]Rung, 2)}, {Match: "test", Rungs: nil}}}
	for name, want := range map[string]int{"shop-1": 1, "shop-2": 2, "shop": 0, "test": 0} {
		if got := len(cfg.ladderOf(name)); got != want {
			t.Errorf("%s has %d rungs", name, got)
		}
	}
}
