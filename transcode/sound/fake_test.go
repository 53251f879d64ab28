//go:build linux

package sound

import (
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"testing"
	"time"

	"pushcart/media"
	"pushcart/transcode/ffmpeg"
	"pushcart/transcode/nut"
)

// fakeName is what the test binary is called where it is to be an ffmpeg; the kind follows.
const fakeName = "ffmpeg that "

// TestMain makes the test binary an ffmpeg where its name says so.
func TestMain(m *testing.M) {
	if kind, ok := strings.CutPrefix(filepath.Base(os.Args[0]), fakeName); ok {
		os.Exit(fakeFFmpeg(kind, os.Args[1:]))
	}
	os.Exit(m.Run())
}

// fake returns an ffmpeg of a kind.
func fake(t *testing.T, kind string) string {
	t.Helper()
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	link := filepath.Join(t.TempDir(), fakeName+kind)
	if err := os.Symlink(self, link); err != nil {
		t.Fatal(err)
	}
	return link
}

var (
	firstPTS = regexp.MustCompile(`first_pts=(\d+)`)
	outRate  = regexp.MustCompile(`aresample=(\d+)`)
)

// fakeOut is an output of the fake.
type fakeOut struct {
	w    *nut.Writer
	rate int64
	next int64
}

// fakeFFmpeg answers the questions of the probe, and else makes silence of what comes in at stdin, as far as its kind
// lets it.
func fakeFFmpeg(kind string, args []string) int {
	switch args[len(args)-1] {
	case "-version":
		fmt.Println("ffmpeg version 7.1-fake Copyright (c) nobody")
		return 0
	case "-encoders":
		if kind != "has no AAC" {
			fmt.Println(" A....D aac                  AAC")
		}
		return 0
	}
	in, err := nut.NewReader(os.Stdin)
	if err != nil {
		return 1
	}
	var outs []*fakeOut
	for _, a := range args {
		m := firstPTS.FindStringSubmatch(a)
		if m == nil {
			continue
		}
		next, _ := strconv.ParseInt(m[1], 10, 64)
		rate, _ := strconv.ParseInt(outRate.FindStringSubmatch(a)[1], 10, 64)
		w, err := nut.NewWriter(os.NewFile(uintptr(ffmpeg.FirstPipe+len(outs)), "pipe"), []nut.Stream{{
			Audio: true, Tag: "\xff\x00", Timescale: rate, Extradata: fakeConfig, SampleRate: int(rate), Channels: 1,
		}})
		if err != nil {
			return 1
		}
		outs = append(outs, &fakeOut{w, rate, next - frameSamples})
	}
	silence := media.Silence(fakeTrack, media.Format{})
	for n := 0; ; n++ {
		f, err := in.Read()
		if err != nil {
			return 0
		}
		if f.Stream != 0 {
			continue
		}
		at := media.Duration(f.PTS, in.Streams()[0].Timescale)
		switch {
		case kind == "dies" && n == 100, kind == "dies at once":
			fmt.Fprintln(os.Stderr, "[libfake] these are my last words")
			return 3
		case kind == "hangs" && n == 100:
			for {
				time.Sleep(time.Hour)
			}
		case kind == "writes nonsense" && n == 50:
			os.NewFile(ffmpeg.FirstPipe, "pipe").WriteString("this is no NUT, whatever else it may be")
			return 0
		}
		for _, o := range outs {
			for media.Duration(o.next+frameSamples, o.rate) <= at {
				pts := o.next
				if kind == "moves times" && n > 50 {
					pts++
				}
				if err := o.w.WriteFrame(nut.Frame{PTS: pts, Key: true, Data: silence}); err != nil {
					return 0
				}
				o.next += frameSamples
			}
		}
	}
}

// fakeConfig is AAC-LC at 48 kHz, mono.
var (
	fakeConfig = []byte{0x11, 0x88}
	fakeTrack  = media.Track{Codec: media.CodecAAC, Timescale: 48000, Config: fakeConfig}
)
