//go:build linux

package transcode

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

// fakeName is what the test binary is called where it is to be an ffmpeg; the kind follows.
const fakeName = "ffmpeg that "

// TestMain makes the test binary an ffmpeg where its name says so.
func TestMain(m *testing.M) {
	if kind, ok := strings.CutPrefix(filepath.Base(os.Args[0]), fakeName); ok {
		os.Exit(fakeFFmpeg(kind, os.Args[1:]))
	}
	os.Exit(m.Run())
}

// fake is a configuration with an ffmpeg of a kind.
func fake(t *testing.T, kind string, rungs ...Rung) Config {
	t.Helper()
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	cfg := ladder(rungs...)
	cfg.FFmpeg = filepath.Join(t.TempDir(), fakeName+kind)
	if err := os.Symlink(self, cfg.FFmpeg); err != nil {
		t.Fatal(err)
	}
	return cfg
}

// fakeFFmpeg answers the questions of probe, and else copies the pictures from stdin to each rung's pipe, as far
// as its kind lets it.
func fakeFFmpeg(kind string, args []string) int {
	switch args[len(args)-1] {
	case "-version":
		version := "7.1-fake"
		if kind == "is old" {
			version = "4.4.2-fake"
		}
		fmt.Printf("ffmpeg version %s Copyright (c) nobody\n", version)
		return 0
	case "-encoders":
		fmt.Println(" V..... = Video\n ------\n V....D libx264              H.264\n A....D aac                  AAC")
		return 0
	}
	in, err := nut.NewReader(os.Stdin)
	if err != nil {
		return 1
	}
	src := in.Streams()[0]
	track := media.Track{Codec: media.CodecH264, Config: src.Extradata}
	src.Extradata = byteStream(parameterSets(src.Extradata))
	var outs []*nut.Writer
	for _, a := range args {
		if a != "-map" {
			continue
		}
		w, err := nut.NewWriter(os.NewFile(uintptr(ffmpeg.FirstPipe+len(outs)), "pipe"), []nut.Stream{src})
		if err != nil {
			return 1
		}
		outs = append(outs, w)
	}
	for n := 0; ; n++ {
		f, err := in.Read()
		if err != nil {
			return 0
		}
		switch {
		case kind == "dies" && n == 40, kind == "dies at once":
			fmt.Fprintln(os.Stderr, "[libfake] these are my last words")
			return 3
		case kind == "hangs" && n == 40:
			sleepForEver()
		case kind == "moves times":
			f.PTS++
		case kind == "makes no keyframes" && n > 0:
			f.Data = f.Data[:0:0]
		case kind == "writes nonsense":
			os.NewFile(ffmpeg.FirstPipe, "pipe").WriteString("this is no NUT")
			f.Data = f.Data[:0:0]
		}
		f.Data = byteStream(nals(media.NALUnits(media.NALLengthSize(track), f.Data)))
		for _, w := range outs {
			if err := w.WriteFrame(f); err != nil {
				return 0
			}
		}
	}
}

// sleepForEver does. An empty select is a deadlock, which Go ends.
func sleepForEver() {
	for {
		time.Sleep(time.Hour)
	}
}

func nals(seq func(func([]byte) bool)) (list [][]byte) {
	for n := range seq {
		list = append(list, n)
	}
	return list
}

// byteStream writes NAL units as annex B has them.
func byteStream(nals [][]byte) []byte {
	var b []byte
	for _, n := range nals {
		b = append(append(b, 0, 0, 0, 1), n...)
	}
	return b
}

// parameterSets takes an avcC of one SPS and one PPS apart.
func parameterSets(avcC []byte) [][]byte {
	sps := avcC[8:][:int(avcC[6])<<8|int(avcC[7])]
	rest := avcC[8+len(sps)+1:]
	return [][]byte{sps, rest[2:][:int(rest[0])<<8|int(rest[1])]}
}
