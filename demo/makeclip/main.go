// Makeclip makes demo/clip.flv, the show that `pushcart demo` plays: pictures drawn by scene.js in a headless
// browser, music composed in music.go, both encoded by ffmpeg. `make clip` runs it.
//
// The clip loops without a seam. It lasts 24 s: 720 pictures at 30 a second and 1,125 AAC frames of 1,024
// samples at 48 kHz, to the sample. Every second begins with a keyframe and nothing refers across one. The
// music is encoded three times in a row and the frames of the middle one are kept, so that the encoder has
// heard at the beginning what comes before it.
package main

import (
	"bytes"
	"errors"
	"flag"
	"fmt"
	"log"
	"os"
	"os/exec"
	"path/filepath"
)

const (
	seconds     = 24
	sampleRate  = 48000
	frameLen    = 1024 // samples in an AAC frame
	audioFrames = seconds * sampleRate / frameLen
	// sizeMax is what the repository has room for.
	sizeMax = 2_000_000
)

func main() {
	log.SetFlags(0)
	log.SetPrefix("makeclip: ")
	out := flag.String("o", "clip.flv", "file to write")
	scripts := flag.String("scripts", "makeclip", "directory of render.mjs and scene.js")
	flag.Parse()
	if err := run(*out, *scripts); err != nil {
		log.Fatal(err)
	}
}

func run(out, scripts string) error {
	dir, err := os.MkdirTemp("", "makeclip")
	if err != nil {
		return err
	}
	defer os.RemoveAll(dir)
	video, audio := filepath.Join(dir, "video.h264"), filepath.Join(dir, "audio.aac")
	if err := encodeVideo(filepath.Join(scripts, "render.mjs"), video); err != nil {
		return fmt.Errorf("pictures: %w", err)
	}
	if err := encodeAudio(audio); err != nil {
		return fmt.Errorf("music: %w", err)
	}
	mux := exec.Command("ffmpeg", "-v", "error", "-y", "-framerate", "30", "-f", "h264", "-i", video, "-f", "aac", "-i", audio,
		"-c", "copy", "-map_metadata", "-1", "-fflags", "+bitexact", "-f", "flv", out)
	mux.Stderr = os.Stderr
	if err := mux.Run(); err != nil {
		return fmt.Errorf("ffmpeg: %w", err)
	}
	info, err := os.Stat(out)
	if err != nil {
		return err
	}
	if info.Size() > sizeMax {
		return fmt.Errorf("%s has %d bytes: it may have %d; raise -crf", out, info.Size(), sizeMax)
	}
	log.Printf("%s: %d bytes, %d kb/s", out, info.Size(), info.Size()*8/seconds/1000)
	return nil
}

// encodeVideo pipes the browser's pictures into x264.
func encodeVideo(script, out string) error {
	draw := exec.Command("node", script)
	encode := exec.Command("ffmpeg", "-v", "error", "-y", "-framerate", "30", "-f", "image2pipe", "-c:v", "mjpeg", "-i", "pipe:0",
		"-vf", "scale=in_range=full:out_range=tv:out_color_matrix=bt709,format=yuv420p",
		"-c:v", "libx264", "-preset", "veryslow", "-profile:v", "high", "-tune", "animation", "-bf", "0", "-refs", "3",
		"-g", "30", "-keyint_min", "30", "-sc_threshold", "0", "-crf", "25", "-maxrate", "1000k", "-bufsize", "1000k",
		"-colorspace", "bt709", "-color_primaries", "bt709", "-color_trc", "bt709", "-color_range", "tv",
		"-bsf:v", "filter_units=remove_types=6", // x264's own note about itself
		"-f", "h264", out)
	pictures, err := draw.StdoutPipe()
	if err != nil {
		return err
	}
	encode.Stdin = pictures
	draw.Stderr, encode.Stderr = os.Stderr, os.Stderr
	if err := draw.Start(); err != nil {
		return err
	}
	failed := encode.Run()
	return errors.Join(failed, draw.Wait())
}

// encodeAudio encodes the music and keeps one loop of its frames.
func encodeAudio(out string) error {
	loop := music(seconds * sampleRate)
	encode := exec.Command("ffmpeg", "-v", "error", "-f", "s16le", "-ar", fmt.Sprint(sampleRate), "-ac", "2", "-i", "pipe:0",
		"-c:a", "aac", "-b:a", "96k", "-f", "adts", "pipe:1")
	encode.Stdin = bytes.NewReader(bytes.Repeat(loop, 3))
	encode.Stderr = os.Stderr
	coded, err := encode.Output()
	if err != nil {
		return err
	}
	frames, err := splitADTS(coded)
	if err != nil {
		return err
	}
	// The encoder's first frame is its run-up: frame i decodes to the samples from (i-1)*1024 on.
	first := audioFrames + 1
	if len(frames) < first+audioFrames {
		return fmt.Errorf("%d frames: want at least %d", len(frames), first+audioFrames)
	}
	return os.WriteFile(out, bytes.Join(frames[first:first+audioFrames], nil), 0o644)
}

// splitADTS returns the frames of an ADTS stream with their headers (ISO/IEC 14496-3, 1.A.3.2).
func splitADTS(stream []byte) ([][]byte, error) {
	var frames [][]byte
	for len(stream) > 0 {
		if len(stream) < 7 || stream[0] != 0xff || stream[1]&0xf0 != 0xf0 {
			return nil, fmt.Errorf("no ADTS header after %d frames", len(frames))
		}
		n := int(stream[3]&3)<<11 | int(stream[4])<<3 | int(stream[5])>>5
		if n < 7 || n > len(stream) {
			return nil, fmt.Errorf("frame %d has an impossible length of %d", len(frames), n)
		}
		frames = append(frames, stream[:n])
		stream = stream[n:]
	}
	return frames, nil
}
