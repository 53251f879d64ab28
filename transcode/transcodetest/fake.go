// Package transcodetest is what the tests of the rooms that make something of shows share: an ffmpeg that fails in ways
// that it can think of, and a house in which the room works.
package transcodetest

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"pushcart/media"
	"pushcart/transcode/ffmpeg"
	"pushcart/transcode/nut"
)

// fakeName is what a test binary is called where it is to be an ffmpeg; the kind follows.
const fakeName = "ffmpeg that "

// Main is for TestMain. It runs the tests, or, where the name of the test binary says so, makes it an ffmpeg: one that
// answers the questions of ffmpeg.Probe, and else does the work, until that returns.
func Main(m *testing.M, work func(*FFmpeg)) {
	kind, ok := strings.CutPrefix(filepath.Base(os.Args[0]), fakeName)
	if !ok {
		os.Exit(m.Run())
	}
	f := &FFmpeg{Kind: kind, Args: os.Args[1:]}
	switch f.Args[len(f.Args)-1] {
	case "-version":
		version := "7.1-fake"
		if kind == "is old" {
			version = "4.4.2-fake"
		}
		fmt.Printf("ffmpeg version %s Copyright (c) nobody\n", version)
	case "-encoders":
		fmt.Println(" V..... = Video\n ------\n V....D libx264              H.264")
		if kind != "has no AAC" {
			fmt.Println(" A....D aac                  AAC")
		}
	default:
		in, err := nut.NewReader(os.Stdin)
		if err != nil {
			os.Exit(1)
		}
		f.In = in
		work(f)
	}
	os.Exit(0)
}

// Fake returns the path of an ffmpeg of a kind. Those that all tests know: it "works", "is old", "has no AAC", "dies at
// once", and "dies", "hangs" or "writes nonsense" when it has read what Next is told.
func Fake(t *testing.T, kind string) string {
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

// FFmpeg is a test binary that is one.
type FFmpeg struct {
	Kind string
	Args []string
	In   *nut.Reader
	read int
}

// Next returns the next packet that comes in, and false when there are no more. When it has read so many, it does what
// its kind has it do.
func (f *FFmpeg) Next(trouble int) (nut.Frame, bool) {
	p, err := f.In.Read()
	if err != nil {
		return p, false
	}
	switch {
	case f.Kind == "dies at once", f.Kind == "dies" && f.read == trouble:
		fmt.Fprintln(os.Stderr, "[libfake] these are my last words")
		os.Exit(3)
	case f.Kind == "writes nonsense" && f.read == trouble:
		os.NewFile(ffmpeg.FirstPipe, "pipe").WriteString("this is no NUT, whatever else it may be")
		sleepForEver()
	case f.Kind == "hangs" && f.read == trouble:
		sleepForEver()
	}
	f.read++
	return p, true
}

// Out opens the pipe that output i goes to.
func (f *FFmpeg) Out(i int, s nut.Stream) *nut.Writer {
	w, err := nut.NewWriter(os.NewFile(uintptr(ffmpeg.FirstPipe+i), "pipe"), []nut.Stream{s})
	if err != nil {
		os.Exit(1)
	}
	return w
}

// At is when a packet is due in the show.
func (f *FFmpeg) At(p nut.Frame) time.Duration {
	return media.Duration(p.PTS, f.In.Streams()[p.Stream].Timescale)
}

// sleepForEver does. An empty select is a deadlock, which Go ends.
func sleepForEver() {
	for {
		time.Sleep(time.Hour)
	}
}
