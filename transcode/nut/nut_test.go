package nut

import (
	"bytes"
	"errors"
	"io"
	"os/exec"
	"slices"
	"testing"
	"testing/iotest"

	"pushcart/media"
	"pushcart/media/mediatest"
	"pushcart/media/mediatest/record"
)

// show is a file with a recorded clip of pictures and one of sound in it, 27 hours into a show, which is
// more than 33 bits of 90 kHz.
func show(t testing.TB) ([]Stream, []Frame, []byte) {
	t.Helper()
	const late = 27 * 3600
	streams := []Stream{
		{Tag: "H264", Timescale: 90000, Width: 160, Height: 90, FrameRate: 29.97},
		{Audio: true, Tag: "\xff\x00", Timescale: 48000, SampleRate: 48000, Channels: 2},
	}
	var frames []Frame
	for i, name := range []string{"h264b", "aac"} {
		track, units := mediatest.Clip(name)
		streams[i].Extradata = track.Config
		for _, au := range units {
			pts := media.Rescale(au.PTS, track.Timescale, streams[i].Timescale)
			frames = append(frames, Frame{i, pts + late*streams[i].Timescale, au.RandomAccess, au.Data})
		}
	}
	slices.SortStableFunc(frames, func(a, b Frame) int {
		return int(a.PTS*1000/streams[a.Stream].Timescale - b.PTS*1000/streams[b.Stream].Timescale)
	})
	var file bytes.Buffer
	w, err := NewWriter(&file, streams)
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range frames {
		if err := w.WriteFrame(f); err != nil {
			t.Fatal(err)
		}
	}
	return streams, frames, file.Bytes()
}

func readAll(t testing.TB, r io.Reader) (*Reader, []Frame, error) {
	t.Helper()
	nr, err := NewReader(r)
	if err != nil {
		return nil, nil, err
	}
	var frames []Frame
	for {
		f, err := nr.Read()
		if err == io.EOF {
			return nr, frames, nil
		}
		if err != nil {
			return nr, frames, err
		}
		frames = append(frames, f)
	}
}

func TestRoundTrip(t *testing.T) {
	streams, frames, file := show(t)
	r, got, err := readAll(t, iotest.OneByteReader(bytes.NewReader(file)))
	if err != nil {
		t.Fatal(err)
	}
	for i, s := range r.Streams() {
		s.FrameRate = streams[i].FrameRate
		if s.Tag != streams[i].Tag || s.Timescale != streams[i].Timescale || !bytes.Equal(s.Extradata, streams[i].Extradata) ||
			s.Width != streams[i].Width || s.SampleRate != streams[i].SampleRate || s.Audio != streams[i].Audio {
			t.Errorf("stream %d is %+v, want %+v", i, s, streams[i])
		}
	}
	compare(t, got, frames)
}

// compare wants the same frames within each stream.
func compare(t *testing.T, got, want []Frame) {
	t.Helper()
	for stream := range 2 {
		of := func(all []Frame) (list []Frame) {
			for _, f := range all {
				if f.Stream == stream {
					list = append(list, f)
				}
			}
			return list
		}
		g, w := of(got), of(want)
		if len(g) != len(w) || len(g) == 0 {
			t.Fatalf("stream %d: %d frames, want %d", stream, len(g), len(w))
		}
		for i := range g {
			if g[i].PTS != w[i].PTS || g[i].Key != w[i].Key || !bytes.Equal(g[i].Data, w[i].Data) {
				t.Errorf("stream %d, frame %d: %d %v %d bytes, want %d %v %d", stream, i,
					g[i].PTS, g[i].Key, len(g[i].Data), w[i].PTS, w[i].Key, len(w[i].Data))
			}
		}
	}
}

// TestFFmpeg has ffmpeg copy the packets of our file into one of its own: it reads what we write, and we read
// what it writes, with each byte and each tick.
func TestFFmpeg(t *testing.T) {
	record.FFmpeg(t)
	_, frames, file := show(t)
	cmd := exec.Command("ffmpeg", "-hide_banner", "-v", "warning", "-copyts", "-f", "nut", "-i", "-", "-map", "0",
		"-c", "copy", "-copyts", "-avoid_negative_ts", "disabled", "-f", "nut", "-")
	cmd.Stdin = bytes.NewReader(file)
	var words bytes.Buffer
	cmd.Stderr = &words
	out, err := cmd.Output()
	if err != nil {
		t.Fatalf("%v: %s", err, words.String())
	}
	if words.Len() > 0 {
		t.Errorf("ffmpeg says: %s", words.String())
	}
	r, got, err := readAll(t, bytes.NewReader(out))
	if err != nil {
		t.Fatal(err)
	}
	if n := len(r.Streams()); n != 2 {
		t.Fatalf("%d streams", n)
	}
	compare(t, got, frames)
}

func TestTruncated(t *testing.T) {
	_, frames, file := show(t)
	for n := 0; n < len(file); n += 97 {
		_, got, err := readAll(t, bytes.NewReader(file[:n]))
		if err != nil && !errors.Is(err, io.EOF) && !errors.Is(err, io.ErrUnexpectedEOF) {
			t.Fatalf("cut at %d: %v", n, err)
		}
		if len(got) > len(frames) {
			t.Fatalf("cut at %d: %d frames", n, len(got))
		}
	}
}

func TestLimits(t *testing.T) {
	var file bytes.Buffer
	w, err := NewWriter(&file, []Stream{{Tag: "H264", Timescale: 90000, Width: 2, Height: 2}})
	if err != nil {
		t.Fatal(err)
	}
	if err := w.WriteFrame(Frame{Data: make([]byte, MaxFrame+1)}); !errors.Is(err, ErrLimit) {
		t.Errorf("a large frame: %v", err)
	}
	if err := w.WriteFrame(Frame{PTS: -1}); err == nil {
		t.Error("a negative time was written")
	}
	if _, err := NewWriter(&file, nil); !errors.Is(err, ErrLimit) {
		t.Errorf("no streams: %v", err)
	}
	// A frame that says it is larger than any may be.
	b := append([]byte{codeFrame, 0}, appendV(nil, 1)...)
	b = appendV(b, MaxFrame+1)
	file.Write(appendPacket(nil, startSyncpoint, []byte{0, 0}))
	file.Write(append(b, 0, 0, 0, 0))
	if _, _, err := readAll(t, &file); !errors.Is(err, ErrLimit) {
		t.Errorf("a declared frame: %v", err)
	}
}

func TestFraction(t *testing.T) {
	for _, c := range []struct {
		rate     float64
		num, den int
	}{{30, 30, 1}, {29.97, 30000, 1001}, {23.976, 24000, 1001}, {59.94, 60000, 1001}, {25, 25, 1}, {12.5, 12500, 1000}} {
		if num, den := fraction(c.rate); num != c.num || den != c.den {
			t.Errorf("%v is %d/%d, want %d/%d", c.rate, num, den, c.num, c.den)
		}
	}
}

// FuzzReader looks for input that panics, or makes the reader allocate what is not there.
func FuzzReader(f *testing.F) {
	_, _, file := show(f)
	f.Add(file[:2048])
	f.Add(file[:300])
	f.Add([]byte(fileID))
	f.Fuzz(func(t *testing.T, b []byte) {
		_, frames, _ := readAll(t, bytes.NewReader(b))
		for _, fr := range frames {
			// An elision header can stand in front of what is there.
			if len(fr.Data) > len(b)+maxElidedBytes {
				t.Fatalf("a frame of %d bytes from %d", len(fr.Data), len(b))
			}
		}
	})
}
