package sound

import (
	"fmt"
	"math"
	"strconv"
	"strings"

	"pushcart/media"
	"pushcart/transcode/ffmpeg"
	"pushcart/transcode/nut"
)

// frameSamples is the number of samples in a unit of AAC-LC.
const frameSamples = 1024

// tags are ffmpeg's names of codecs in NUT: those of RIFF, two bytes, but for two that it has made up.
var tags = map[media.Codec]string{
	media.CodecAAC:  "\xff\x00",
	media.CodecMP3:  "\x55\x00",
	media.CodecPCMA: "\x06\x00",
	media.CodecPCMU: "\x07\x00",
	media.CodecG722: "\x8f\x02",
	media.CodecL16:  "\x10DSP",
	media.CodecOpus: "Opus",
}

// streams describes the inputs to ffmpeg.
func (k *task) streams() []nut.Stream {
	var list []nut.Stream
	for _, t := range k.inputs {
		f, _ := media.ParseConfig(t) // it has been read before: see known
		s := nut.Stream{Audio: true, Tag: tags[t.Codec], Timescale: t.Timescale, SampleRate: f.SampleRate, Channels: f.Channels}
		switch t.Codec {
		case media.CodecAAC:
			s.Extradata = t.Config
		case media.CodecOpus:
			s.Extradata = append([]byte("OpusHead"), t.Config...)
		}
		list = append(list, s)
	}
	return list
}

// starts returns when each output begins if the first unit of the inputs is one of input i at the time dts: the last
// place for a unit at or before it.
func (k *task) starts(i int, dts int64) []int64 {
	list := make([]int64, len(k.outputs))
	for n, o := range k.outputs {
		at := media.Rescale(dts, k.inputs[i].Timescale, o.track.Timescale)
		if o.phase != sameFrame || o.input != i {
			at -= at % frameSamples
		}
		list[n] = at
	}
	return list
}

// arguments returns ffmpeg's command line: one NUT file with all inputs comes in at stdin, and each output is a NUT file
// of its own. starts says when each output begins.
//
// Times: -copyts keeps those of the packets. The first aresample brings sound to the output's rate; the second begins it at
// exactly the time that it is told to, puts silence where the source has a hole and cuts what overlaps, so that
// all that follows can count samples. (In one, first_pts would count samples of the source, which are no whole number
// of the output's.) The encoder takes 1024 samples to warm up, and says so: its first packet is that much earlier.
func (k *task) arguments(starts []int64) []string {
	args := []string{"-hide_banner", "-nostdin", "-nostats", "-loglevel", "level+warning", "-copyts",
		"-analyzeduration", "0", "-fpsprobesize", "0", "-f", "nut", "-i", "pipe:0"}
	if k.duck > 0 {
		args = append(args, "-filter_complex", k.mix(starts[0]))
	}
	for n, o := range k.outputs {
		if k.duck > 0 {
			args = append(args, "-map", "[mix]")
		} else {
			args = append(args, "-map", "0:"+strconv.Itoa(o.input), "-af", o.filters(starts[n]))
		}
		args = append(args, "-c:a", aacEncoder, "-b:a", strconv.Itoa(o.track.BitRate),
			"-avoid_negative_ts", "disabled", "-flush_packets", "1",
			"-f", "nut", "-write_index", "0", "pipe:"+strconv.Itoa(ffmpeg.FirstPipe+n))
	}
	return args
}

// filters is the chain that makes the input exactly continuous from start on.
func (o output) filters(start int64) string {
	layout := "mono"
	if o.channels > 1 {
		layout = "stereo"
	}
	return fmt.Sprintf("aresample=%d,aresample=%[1]d:async=1:min_comp=%s:min_hard_comp=%[2]s:first_pts=%d,aformat=channel_layouts=%s:sample_rates=%[1]d",
		o.track.Timescale, exact, start, layout)
}

// exact is what times may be off before silence is put in, or sound cut, in seconds. They count samples.
const exact = "0.0005"

// The ducking. Sound is lowered when the voice is above hush, which a room without a speaker is not, within a syllable,
// and comes back slowly enough not to pump between words.
const (
	hush    = -45.0 // dBFS
	attack  = 15    // ms
	release = 500
	// boost is how much louder the compressor is made to hear the voice, which has it do all that it may.
	boost = 24.0 // dB
)

// spread makes an input with one channel as loud in two: ffmpeg by itself lowers it by 3 dB.
func (k *task) spread(i int) string {
	if f, err := media.ParseConfig(k.inputs[i]); err != nil || f.Channels != 1 {
		return ""
	}
	return ",volume=3.0103dB"
}

// mix is the graph of two inputs that becomes one output. sidechaincompress by itself lowers the more the louder
// the voice is; its blend with what is not compressed bounds that to the level that is wanted. It and amix look at no times:
// both inputs begin at start and have no holes, and what comes out is counted from there.
func (k *task) mix(start int64) string {
	o := k.outputs[0]
	linear := func(db float64) string { return strconv.FormatFloat(math.Pow(10, db/20), 'f', 5, 64) }
	blend := strconv.FormatFloat(1-math.Pow(10, -k.duck/20), 'f', 5, 64)
	return strings.Join([]string{
		"[0:0]" + o.filters(start) + k.spread(0) + "[own]",
		"[0:1]" + o.filters(start) + k.spread(1) + ",asplit[voice][key]",
		fmt.Sprintf("[own][key]sidechaincompress=level_sc=%s:threshold=%s:ratio=20:attack=%d:release=%d:mix=%s[under]",
			linear(boost), linear(hush+boost), attack, release, blend),
		"[under][voice]amix=inputs=2:duration=first:dropout_transition=0:normalize=0," + fmt.Sprintf("asetpts=N+%d[mix]", start),
	}, ";")
}
