package harness

import (
	"bufio"
	"context"
	"encoding/binary"
	"fmt"
	"io"
	"os"
	"os/exec"
	"strconv"
	"sync"
	"syscall"
	"testing"

	"pushcart/ingest/rtmp/rtmptest"
)

// PublishLadder starts a host that sends one picture in several sizes, each of which has a picture of its own height,
// and its sound in as many languages, as tracks of one connection (Enhanced RTMP v2 multitrack). ffmpeg encodes; a
// client of our own sends. It ends with the test at the latest.
func PublishLadder(t testing.TB, url string, heights []int, voices int) {
	t.Helper()
	ctx, cancel := context.WithCancel(context.Background())
	client, err := rtmptest.Publish(ctx, url, rtmptest.Options{})
	if err != nil {
		t.Fatal(err)
	}
	const width, height = 640, 360
	h := &Host{t: t, cancel: cancel, exited: make(chan struct{})}
	args := []string{"-hide_banner", "-nostdin", "-nostats", "-loglevel", "error", "-fflags", "nobuffer",
		"-probesize", "32", "-thread_queue_size", "8", "-f", "rawvideo", "-pix_fmt", "yuv420p", "-s", fmt.Sprintf("%dx%d", width, height),
		"-r", strconv.Itoa(fps), "-i", "pipe:3",
		"-probesize", "32", "-thread_queue_size", "64", "-f", "s16le", "-ar", strconv.Itoa(sampleRate), "-ac", "1", "-i", "pipe:4"}
	out := []string{"-flush_packets", "1", "-max_interleave_delta", "100000", "-f", "flv", "-flvflags", "no_duration_filesize"}
	fd := 5
	for _, tall := range heights {
		args = append(args, "-map", "0:v", "-vf", fmt.Sprintf("scale=-2:%d", tall), "-c:v", "libx264", "-preset", "ultrafast", "-tune", "zerolatency",
			"-threads", "1", "-g", "30", "-keyint_min", "30", "-sc_threshold", "0", "-b:v", fmt.Sprintf("%dk", 2*tall))
		args = append(append(args, out...), fmt.Sprintf("pipe:%d", fd))
		fd++
	}
	for range voices {
		args = append(args, "-map", "1:a", "-c:a", "aac", "-b:a", "64k", "-ac", "2")
		args = append(append(args, out...), fmt.Sprintf("pipe:%d", fd))
		fd++
	}
	h.cmd = exec.Command("ffmpeg", args...)
	h.cmd.Stderr = &h.stderr
	h.cmd.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL}
	pictures, sound := h.pipe(3), h.pipe(4)
	var outputs []*os.File
	for range len(heights) + voices {
		r, w, err := os.Pipe()
		if err != nil {
			t.Fatal(err)
		}
		h.cmd.ExtraFiles = append(h.cmd.ExtraFiles, w)
		outputs = append(outputs, r)
	}
	if err := h.cmd.Start(); err != nil {
		t.Fatalf("ffmpeg: %v", err)
	}
	for _, f := range h.cmd.ExtraFiles {
		f.Close()
	}
	h.feeders.Go(func() { feedPictures(ctx, pictures, width, height) })
	h.feeders.Go(func() { feedSound(ctx, sound, usualTone) })
	var mu sync.Mutex // guards the client
	for i, r := range outputs {
		number := i
		if i >= len(heights) {
			number -= len(heights)
		}
		h.feeders.Go(func() { forwardTrack(client, &mu, r, byte(number)) })
	}
	go func() {
		h.cmd.Wait() // it is killed in the end
		close(h.exited)
	}()
	t.Cleanup(func() {
		client.Kill()
		h.Kill()
		cancel()
		pictures.Close()
		sound.Close()
		h.feeders.Wait()
		for _, r := range outputs {
			r.Close()
		}
		if t.Failed() && h.stderr.Len() > 0 {
			t.Logf("host: %s", h.stderr.String())
		}
	})
}

// forwardTrack sends the one track of an FLV file as track number of a multitrack publish, until either ends.
// Track 0 is sent in the plain form, as encoders do.
func forwardTrack(client *rtmptest.Client, mu *sync.Mutex, file io.Reader, number byte) {
	r := bufio.NewReader(file)
	if _, err := r.Discard(9 + 4); err != nil {
		return
	}
	for {
		var head [11]byte
		if _, err := io.ReadFull(r, head[:]); err != nil {
			return
		}
		size := int(head[1])<<16 | int(head[2])<<8 | int(head[3])
		time := uint32(head[7])<<24 | binary.BigEndian.Uint32(head[3:7])&0xFFFFFF
		payload := make([]byte, size)
		if _, err := io.ReadFull(r, payload); err != nil {
			return
		}
		if _, err := r.Discard(4); err != nil {
			return
		}
		mu.Lock()
		err := sendTag(client, head[0], time, payload, number)
		mu.Unlock()
		if err != nil {
			return
		}
	}
}

func sendTag(client *rtmptest.Client, kind byte, time uint32, payload []byte, number byte) error {
	const audio, video = 8, 9
	switch {
	case kind == video && number == 0 && len(payload) > 5:
		return client.WriteVideo(time, payload)
	case kind == video && len(payload) > 5 && payload[1] <= 1: // AVC: configuration or picture, without B-frames
		packet := byte(rtmptest.CodedFramesX)
		if payload[1] == 0 {
			packet = rtmptest.SequenceStart
		}
		return client.WriteVideo(time, rtmptest.MultitrackVideo(payload[0]>>4 == 1, rtmptest.OneTrack, packet,
			rtmptest.TrackData{ID: number, FourCC: "avc1", Data: payload[5:]}))
	case kind == audio && number == 0 && len(payload) > 2:
		return client.WriteAudio(time, payload)
	case kind == audio && len(payload) > 2:
		packet := byte(rtmptest.CodedFrames)
		if payload[1] == 0 {
			packet = rtmptest.SequenceStart
		}
		return client.WriteAudio(time, rtmptest.MultitrackAudio(rtmptest.OneTrack, packet,
			rtmptest.TrackData{ID: number, FourCC: "mp4a", Data: payload[2:]}))
	}
	return nil // onMetaData, or the end
}
