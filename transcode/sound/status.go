package sound

import (
	"fmt"
	"time"

	"pushcart/media"
)

// State is what a job is doing.
type State string

// The states of a job.
const (
	Idle     State = "idle"     // there is nothing to do at present
	Off      State = "off"      // there is nothing to do it with
	Waiting  State = "waiting"  // there are as many processes as may be
	Starting State = "starting" // ffmpeg is catching up with the show
	Running  State = "running"  // its sound is in the show
	Resting  State = "resting"  // after a failure
	Plain    State = "plain"    // a voice is offered alone, as it is
)

// Status is what the operator can know about a job.
type Status struct {
	// Role is what it is called among the show's contributors.
	Role     string
	State    State
	Why      string // a clause that says why it is not running, or not whole; empty otherwise
	Failures int    // how often it has failed
	// Tracks are what it makes.
	Tracks []media.Track
	// Lag is how far what it makes is behind what it is made of, in media time; zero while it is not running.
	Lag time.Duration
}

func (sh *show) status() []Status {
	sh.mu.Lock()
	defer sh.mu.Unlock()
	var list []Status
	for _, j := range sh.jobs {
		list = append(list, j.status())
	}
	return list
}

func (j *job) status() Status {
	j.mu.Lock()
	defer j.mu.Unlock()
	st := Status{Role: j.role, State: j.state, Why: j.why, Failures: j.failures}
	if j.shown != nil {
		for _, o := range j.shown.outputs {
			st.Tracks = append(st.Tracks, o.track)
		}
	}
	if j.current != nil {
		v := j.current.col.Vitals()
		st.State, st.Why = Starting, ""
		if !v.Joined.IsZero() {
			st.State, st.Lag = Running, v.Lag
			if !j.left.IsZero() {
				st.Why = "the voice is away: who listens hears the show's own sound"
			}
		}
	}
	return st
}

// show notes which task the job is about.
func (j *job) show(k *task) {
	j.mu.Lock()
	defer j.mu.Unlock()
	j.shown = k
}

// set notes what the job is doing while no process runs.
func (j *job) set(s State, why string) {
	j.mu.Lock()
	defer j.mu.Unlock()
	j.state, j.why = s, why
}

// started notes the process that works on it.
func (j *job) started(r *run) {
	j.mu.Lock()
	defer j.mu.Unlock()
	j.current, j.state, j.why = r, Starting, ""
}

// stopped notes that there is none any more.
func (j *job) stopped() {
	j.mu.Lock()
	defer j.mu.Unlock()
	if j.current != nil {
		j.current, j.state, j.why = nil, Idle, ""
	}
}

// voiceIsThere notes that a mix has its voice.
func (j *job) voiceIsThere() {
	j.mu.Lock()
	defer j.mu.Unlock()
	j.left = time.Time{}
}

// lonelySince notes that a mix has lost its voice, and returns how long ago that was.
func (j *job) lonelySince() time.Duration {
	j.mu.Lock()
	defer j.mu.Unlock()
	if j.left.IsZero() {
		j.left = time.Now()
	}
	return time.Since(j.left)
}

// what names the task, at the beginning of a sentence.
func (k *task) what() string {
	in := k.inputs[len(k.inputs)-1]
	switch {
	case k.duck > 0:
		return fmt.Sprintf("The mix of the voice in %s with the show's own sound", in.Language)
	case k.role != Role:
		return fmt.Sprintf("The conversion of the voice in %s", in.Language)
	case !in.Internal:
		return "The sound of the smaller renditions"
	}
	return "The conversion of the host's sound to AAC"
}

// hopeless is a sentence about a task for which ffmpeg is of no use.
func (j *job) hopeless(k *task, why string) string {
	in := k.inputs[len(k.inputs)-1]
	switch {
	case k.plain != nil:
		return fmt.Sprintf("The voice in %s is heard alone, and not mixed with the show's own sound: %s.", in.Language, why)
	case k.role != Role:
		return fmt.Sprintf("Nobody hears the voice in %s: it is %s, which players can't play, and can't be made into AAC: %s. Or set the encoder to AAC.",
			in.Language, spoken(in.Codec), why)
	case !in.Internal:
		return fmt.Sprintf("All renditions have the host's own sound: %s.", why)
	}
	return fmt.Sprintf("Nobody hears the host's sound: it is %s, which players can't play, and can't be made into AAC: %s. Or set the camera or encoder to AAC.",
		spoken(in.Codec), why)
}

// spoken is what people call the codec.
func spoken(c media.Codec) string {
	switch c {
	case media.CodecPCMA:
		return "G.711 A-law"
	case media.CodecPCMU:
		return "G.711 mu-law"
	case media.CodecL16:
		return "uncompressed (L16)"
	case media.CodecG722:
		return "G.722"
	case media.CodecMP3:
		return "MP3"
	}
	return string(c)
}
