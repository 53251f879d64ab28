package harness

import (
	"bytes"
	"context"
	"encoding/binary"
	"fmt"
	"io"
	"math"
	"os"
	"os/exec"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"
)

// HostOptions say what a host sends. The zero value is 640x360 at 30 frames a second with sound.
type HostOptions struct {
	Width, Height      int
	NoVideo, NoAudio   bool
	GOP                time.Duration // 1 s by default
	KilobitsPerSecond  int           // of video; 700 by default
	ExtraVideoSettings []string
	Tone               float64 // of the sound, in Hz; 660 by default
	// Sound is how ffmpeg is to encode it; AAC at 64 kb/s by default.
	Sound []string
	// Rungs are heights of further, smaller renditions, which the same ffmpeg sends on connections of their own.
	Rungs []int
}

// Host is an ffmpeg that publishes pictures with the wall clock drawn into them.
type Host struct {
	t       testing.TB
	cmd     *exec.Cmd
	stderr  bytes.Buffer
	cancel  context.CancelFunc
	exited  chan struct{}
	feeders sync.WaitGroup
}

const (
	fps        = 30
	sampleRate = 48000
	usualTone  = 660 // Hz
)

// Publish starts a host. It ends with the test at the latest.
func Publish(t testing.TB, url string, o HostOptions) *Host {
	t.Helper()
	if o.Width == 0 {
		o.Width, o.Height = 640, 360
	}
	if o.GOP == 0 {
		o.GOP = time.Second
	}
	if o.Tone == 0 {
		o.Tone = usualTone
	}
	if o.KilobitsPerSecond == 0 {
		o.KilobitsPerSecond = 700
	}
	ctx, cancel := context.WithCancel(context.Background())
	h := &Host{t: t, cancel: cancel, exited: make(chan struct{})}
	h.cmd = exec.Command("ffmpeg", arguments(url, o)...)
	h.cmd.Stderr = &h.stderr
	h.cmd.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL}
	pictures, sound := h.pipe(3), h.pipe(4)
	if err := h.cmd.Start(); err != nil {
		t.Fatalf("ffmpeg: %v", err)
	}
	for _, f := range h.cmd.ExtraFiles {
		f.Close()
	}
	if !o.NoVideo {
		h.feeders.Go(func() { feedPictures(ctx, pictures, o.Width, o.Height) })
	}
	if !o.NoAudio {
		h.feeders.Go(func() { feedSound(ctx, sound, o.Tone) })
	}
	go func() {
		h.cmd.Wait() // its status is of no interest: hosts are killed
		close(h.exited)
	}()
	t.Cleanup(func() {
		h.Kill()
		cancel()
		pictures.Close()
		sound.Close()
		h.feeders.Wait()
		if t.Failed() && h.stderr.Len() > 0 {
			t.Logf("host: %s", strings.TrimSpace(h.stderr.String()))
		}
	})
	return h
}

// pipe gives ffmpeg a pipe as file descriptor fd.
func (h *Host) pipe(fd int) *os.File {
	r, w, err := os.Pipe()
	if err != nil {
		h.t.Fatal(err)
	}
	h.cmd.ExtraFiles = append(h.cmd.ExtraFiles, r)
	if len(h.cmd.ExtraFiles)+2 != fd {
		h.t.Fatalf("pipe %d opened out of order", fd)
	}
	return w
}

func arguments(url string, o HostOptions) []string {
	args := []string{"-hide_banner", "-nostdin", "-nostats", "-loglevel", "warning", "-fflags", "nobuffer"}
	if !o.NoVideo {
		args = append(args, "-probesize", "32", "-thread_queue_size", "8", "-f", "rawvideo", "-pix_fmt", "yuv420p",
			"-s", fmt.Sprintf("%dx%d", o.Width, o.Height), "-r", strconv.Itoa(fps), "-i", "pipe:3")
	}
	if !o.NoAudio {
		args = append(args, "-probesize", "32", "-thread_queue_size", "64", "-f", "s16le", "-ar", strconv.Itoa(sampleRate), "-ac", "1", "-i", "pipe:4")
	}
	if !o.NoVideo {
		gop := strconv.Itoa(int(math.Round(o.GOP.Seconds() * fps)))
		rate := strconv.Itoa(o.KilobitsPerSecond) + "k"
		args = append(args, "-c:v", "libx264", "-preset", "ultrafast", "-tune", "zerolatency", "-threads", "1",
			"-g", gop, "-keyint_min", gop, "-sc_threshold", "0", "-b:v", rate, "-maxrate", rate, "-bufsize", rate)
		args = append(args, o.ExtraVideoSettings...)
	}
	if !o.NoAudio {
		if o.Sound == nil {
			o.Sound = []string{"-c:a", "aac", "-b:a", "64k", "-ac", "2"}
		}
		args = append(args, o.Sound...)
	}
	muxer := []string{"-flush_packets", "1", "-max_interleave_delta", "100000", "-f", "flv", "-flvflags", "no_duration_filesize"}
	args = append(append(args, muxer...), url)
	for _, height := range o.Rungs {
		gop := strconv.Itoa(int(math.Round(o.GOP.Seconds() * fps)))
		args = append(args, "-map", "0:v", "-c:v", "libx264", "-preset", "ultrafast", "-tune", "zerolatency", "-threads", "1",
			"-g", gop, "-keyint_min", gop, "-sc_threshold", "0", "-b:v", "250k",
			"-s", fmt.Sprintf("%dx%d", o.Width*height/o.Height/2*2, height))
		args = append(append(args, muxer...), fmt.Sprintf("%s/%dp", url, height))
	}
	return args
}

// feedPictures writes a picture whenever one is due. While ffmpeg does not read, pictures are left out and
// not made up for: a camera does not record ahead.
func feedPictures(ctx context.Context, w io.Writer, width, height int) {
	p := newPicture(width, height)
	began := time.Now()
	for n := 0; ctx.Err() == nil; n++ {
		due := began.Add(time.Duration(n) * time.Second / fps)
		if wait := time.Until(due); wait > 0 {
			time.Sleep(wait)
		} else if wait < -time.Second {
			began = began.Add(-wait) // the time that was lost
		}
		if _, err := w.Write(p.draw(time.Now(), n)); err != nil {
			return
		}
	}
}

// feedSound writes a tone that beeps with each whole second of the wall clock, 20 ms at a time.
func feedSound(ctx context.Context, w io.Writer, tone float64) {
	const block = sampleRate / 50
	began := time.Now()
	buf := make([]byte, 0, 2*block)
	for n := 0; ctx.Err() == nil; n++ {
		due := began.Add(time.Duration(n) * time.Second / 50)
		if wait := time.Until(due); wait > 0 {
			time.Sleep(wait)
		} else if wait < -time.Second {
			began = began.Add(-wait) // the time that was lost, as with pictures
			due = due.Add(-wait)
		}
		second := due.Nanosecond() / (int(time.Second) / sampleRate) // samples since the last whole one
		buf = buf[:0]
		for i := n * block; i < (n+1)*block; i++ {
			loud := 600.0
			if (second+i-n*block)%sampleRate < sampleRate/16 {
				loud = 9000
			}
			buf = binary.LittleEndian.AppendUint16(buf, uint16(int16(loud*math.Sin(2*math.Pi*tone*float64(i)/sampleRate))))
		}
		if _, err := w.Write(buf); err != nil {
			return
		}
	}
}

// Kill ends the host at once, as a crash does: the kernel closes its connection. It returns when it is gone.
func (h *Host) Kill() {
	h.signal(syscall.SIGKILL)
	<-h.exited
}

// Stop ends the host as a person does: it says goodbye.
func (h *Host) Stop() {
	h.signal(syscall.SIGINT)
	select {
	case <-h.exited:
	case <-time.After(Patience):
		h.Kill()
	}
}

// Freeze stops the host without closing its connection; Thaw lets it go on.
func (h *Host) Freeze() { h.signal(syscall.SIGSTOP) }

// Thaw lets a frozen host go on.
func (h *Host) Thaw() { h.signal(syscall.SIGCONT) }

func (h *Host) signal(s syscall.Signal) {
	select {
	case <-h.exited:
	default:
		h.cmd.Process.Signal(s) // a process that has just ended is no error
	}
}
