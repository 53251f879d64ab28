package transcode

import (
	"fmt"
	"strconv"
	"strings"

	"pushcart/transcode/ffmpeg"
)

// arguments returns ffmpeg's command line: a NUT file comes in at stdin, is decoded once, and goes out as one NUT
// file a rung. frameRate is the source's, zero if unknown.
//
// Times: -copyts, an encoder time base of 1/90000 s and -fps_mode passthrough give each picture the time it
// came with. Keyframes: -force_key_frames source asks for one wherever the decoder found one.
func arguments(c Config, targets []target) []string {
	args := []string{"-hide_banner", "-nostdin", "-nostats", "-loglevel", "level+warning", "-copyts"}
	seen := make(map[string]bool)
	for _, t := range targets {
		e, _ := encoderByName(t.Encoder)
		if e.device != "" && c.Device != "" && !seen[e.device] {
			seen[e.device] = true
			args = append(args, e.device, c.Device)
		}
	}
	args = append(args,
		// The container says all there is to know: ffmpeg need not look ahead.
		"-analyzeduration", "0", "-fpsprobesize", "0",
		// A decoder with several threads holds as many pictures back; one decodes 1080p60 on a small core.
		"-threads", "1",
		"-f", "nut", "-i", "pipe:0")
	for i, t := range targets {
		args = append(args, t.output(ffmpeg.FirstPipe+i)...)
	}
	return args
}

// output returns the part of the command line that makes the rung and writes it to a file descriptor.
func (t target) output(fd int) []string {
	e, _ := encoderByName(t.Encoder)
	args := []string{"-map", "0:v:0", "-vf", t.filters(e),
		"-force_key_frames", "source", "-enc_time_base", "1:90000", "-fps_mode", "passthrough"}
	args = append(args, e.options(t.Rung)...)
	return append(args, "-avoid_negative_ts", "disabled", "-flush_packets", "1",
		"-f", "nut", "-write_index", "0", "pipe:"+strconv.Itoa(fd))
}

func (t target) filters(e encoder) string {
	var chain []string
	if t.decimate {
		// A picture is taken when it begins another frame of the rung's rate, counted from the last
		// keyframe, which is always taken: the rung's times are a part of the source's. A quarter of a
		// frame is what times may jitter.
		rate := strconv.FormatFloat(t.FrameRate, 'f', -1, 64)
		frame := func(at string) string { return "floor((" + at + "-ld(1))*" + rate + "+0.25)" }
		chain = append(chain, "select='if(key,1+0*st(1,t),gt("+frame("t")+","+frame("prev_t")+"))'")
	}
	chain = append(chain, fmt.Sprintf("scale=%d:%d", t.width, t.height), "setsar=1", e.pixels)
	return strings.Join(chain, ",")
}
