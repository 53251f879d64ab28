package sound

import (
	"reflect"
	"slices"

	"pushcart/media"
)

// What jobs are called among the contributors of a show. No key is good for them (auth).
const (
	// Role is that of the job that works on the host's own sound.
	Role = "sound"
	// mixRole is what stands before an interpreter's role, "@fr".
	mixRole = "mix"
)

// maxOutputs bounds what one process makes, and maxInputs what it is made of: more tracks of a host go unconverted.
const (
	maxOutputs = 16
	maxInputs  = 8
)

// task is what one process has to do. It is never modified.
type task struct {
	role    string
	inputs  []media.Track
	outputs []output
	// duck, if it is above zero, makes one output of two inputs: the first is lowered by so many decibels under the
	// second.
	duck float64
	// plain is the last input, offered as it is: what is done without ffmpeg. It is nil where that is no help.
	plain *media.Track
}

// equal reports whether a process that does a does b, too.
func (a *task) equal(b *task) bool { return reflect.DeepEqual(a, b) }

// needs reports whether t is one of the inputs, in whatever form.
func (k *task) needs(t media.Track) bool {
	return slices.ContainsFunc(k.inputs, func(in media.Track) bool { return in.ID == t.ID })
}

// hasAll reports whether the tracks, of which the last of an ID counts, include all these inputs as they are.
func hasAll(tracks, inputs []media.Track) bool {
	for _, in := range inputs {
		same := false
		for _, t := range tracks {
			if t.ID == in.ID {
				same = t.SameConfig(in) && t.Internal == in.Internal
			}
		}
		if !same {
			return false
		}
	}
	return true
}

// output is one track that is made.
type output struct {
	track    media.Track // without its configuration
	input    int         // of which it is made
	channels int         // one or two
	phase    phase
}

// phase says where the units of an output begin.
type phase int

const (
	anyPhase  phase = iota // at multiples of frameSamples
	sameFrame              // where those of the input do
)

// plan returns what a show with these tracks needs.
func (st *Studio) plan(name string, tracks []media.Track) []*task {
	var tasks []*task
	var main *media.Track
	own := &task{role: Role}
	for i, t := range tracks {
		if t.Kind() != media.KindAudio || t.Contributed {
			continue
		}
		if main == nil {
			main = &tracks[i]
			own.qualities(t, st.qualities(name, t))
		}
		if t.Internal && st.opt.Convert {
			own.convert(t)
		}
	}
	if len(own.outputs) > 0 {
		tasks = append(tasks, own)
	}
	for _, t := range tracks {
		if t.Kind() != media.KindAudio || !t.Contributed || !t.Internal || t.Language == "" {
			continue
		}
		if k := st.voice(t, main); len(k.outputs) > 0 || k.plain != nil {
			tasks = append(tasks, k)
		}
	}
	return tasks
}

// qualities returns those that are worth being made of t. All that a variant of the show can be heard with is in one
// codec, so there are none of Opus; and none of what is not offered at all.
func (st *Studio) qualities(name string, t media.Track) []Quality {
	if st.opt.Qualities == nil || t.Codec != media.CodecAAC && !t.Codec.ForTranscoding() || t.Internal && !st.opt.Convert {
		return nil
	}
	var list []Quality
	for _, q := range st.opt.Qualities(name, st.have.Encoders) {
		if t.BitRate == 0 || t.Internal || q.BitRate < t.BitRate {
			list = append(list, q)
		}
	}
	return list
}

// voice is what is done with an interpreter's voice that is not offered as it is. main is the host's sound, nil if there
// is none.
func (st *Studio) voice(t media.Track, main *media.Track) *task {
	k := &task{role: mixRole + "@" + t.Language, inputs: []media.Track{t}}
	if !t.Codec.ForTranscoding() {
		plain := t
		plain.ID, plain.Internal, plain.Contributed = 1, false, false
		k.plain = &plain
	}
	switch {
	case !known(t):
	case st.opt.Ducking > 0 && main != nil && known(*main):
		k.duck = st.opt.Ducking
		k.inputs = []media.Track{*main, t}
		k.add(t, 1, "", 0, 2)
	case k.plain == nil:
		k.convert(t)
	}
	return k
}

// convert adds an output that is t in AAC.
func (k *task) convert(t media.Track) {
	if i, ok := k.input(t); ok {
		k.add(t, i, "", 0, 0)
	}
}

// qualities adds outputs that are t at other rates.
func (k *task) qualities(t media.Track, list []Quality) {
	for _, q := range list {
		if i, ok := k.input(t); ok {
			k.add(t, i, q.Group, q.BitRate, 0)
		}
	}
}

// input returns the place of t among the inputs. It is false if there is no room, or nothing to be done with t.
func (k *task) input(t media.Track) (int, bool) {
	for i, in := range k.inputs {
		if in.ID == t.ID {
			return i, true
		}
	}
	if !known(t) || len(k.inputs) == maxInputs {
		return 0, false
	}
	k.inputs = append(k.inputs, t)
	return len(k.inputs) - 1, true
}

// add adds an output that is made of input i, which is t. Zero for the bit rate and for the channels is what suits t.
func (k *task) add(t media.Track, i int, group string, bitRate, channels int) {
	f, err := media.ParseConfig(t)
	if err != nil || len(k.outputs) == maxOutputs {
		return
	}
	o := output{input: i, channels: channels}
	if channels == 0 {
		o.channels = min(max(f.Channels, 1), 2)
	}
	rate := 48000
	if f.SampleRate == 44100 {
		rate = f.SampleRate
	}
	if t.Codec == media.CodecAAC && f.SampleRate == rate && t.Timescale == int64(rate) && f.FrameSamples == frameSamples && k.duck == 0 {
		o.phase = sameFrame
	}
	if bitRate == 0 {
		bitRate = usualRate(f.SampleRate, o.channels)
	}
	o.track = media.Track{
		ID: len(k.outputs) + 1, Codec: media.CodecAAC, Timescale: int64(rate), BitRate: bitRate,
		Language: t.Language, Label: t.Label, Group: group,
	}
	k.outputs = append(k.outputs, o)
}

// usualRate is what AAC of some sound takes to sound like it, in bits a second.
func usualRate(sampleRate, channels int) int {
	const telephony = 16000
	if sampleRate <= telephony {
		return 40_000 * channels
	}
	return 64_000 * channels
}

// known reports whether ffmpeg is to be told of t: its configuration can be read.
func known(t media.Track) bool {
	_, err := media.ParseConfig(t)
	_, ok := tags[t.Codec]
	return err == nil && ok
}
