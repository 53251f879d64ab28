package transcode

import "time"

// State is what a show's ladder is doing.
type State string

// The states of a ladder.
const (
	Idle     State = "idle"     // the host is away, or not there yet
	Off      State = "off"      // there is nothing to do, or nothing to do it with
	Waiting  State = "waiting"  // as many shows are transcoded as may be
	Starting State = "starting" // ffmpeg is catching up with the show
	Running  State = "running"  // the rungs are in the show
	Resting  State = "resting"  // after a failure
)

// States of a rung.
const (
	RungOn      = "on"      // in the show
	RungOff     = "off"     // not at present
	RungDropped = "dropped" // left out, since the ladder could not be made with it
)

// Status is what the operator can know about a ladder.
type Status struct {
	State    State
	Why      string // a clause that says why it is not running; empty otherwise
	Failures int    // how often it has failed
	Rungs    []RungStatus
}

// RungStatus is what is known of a rung.
type RungStatus struct {
	Label         string // "720p"
	State         string
	Encoder       string
	Width, Height int
	BitRate       int
	// Lag is how far its newest picture is behind the source's, in media time; Latency is what a picture takes
	// through ffmpeg, smoothed. Zero while it is off.
	Lag, Latency time.Duration

	id int
}

func (sh *show) status() Status {
	sh.mu.Lock()
	defer sh.mu.Unlock()
	st := Status{State: sh.state, Why: sh.why, Failures: sh.failures}
	if st.State == "" {
		st.State = Idle
	}
	for i, t := range sh.targets {
		r := RungStatus{
			Label: t.Label(), State: RungOff, Encoder: t.Encoder, Width: t.width, Height: t.height,
			BitRate: int(t.BitRate), id: t.id,
		}
		if i >= max(1, len(sh.targets)-sh.dropped) {
			r.State = RungDropped
		}
		st.Rungs = append(st.Rungs, r)
	}
	if sh.current == nil {
		return st
	}
	st.State = Starting
	if !sh.current.col.Vitals().Joined.IsZero() {
		st.State = Running
	}
	sh.current.col.describe(st.Rungs)
	return st
}

// set notes what the ladder is doing while no process runs.
func (sh *show) set(s State, why string) {
	sh.mu.Lock()
	defer sh.mu.Unlock()
	sh.state, sh.why = s, why
}

// planned notes the rungs of a new source, or why there are none.
func (sh *show) planned(targets []target, why string) {
	sh.mu.Lock()
	defer sh.mu.Unlock()
	sh.targets, sh.dropped = targets, sh.policy.dropped
	sh.state, sh.why = Idle, why
	if why != "" {
		sh.state = Off
	}
}

// started notes the process that works on the ladder.
func (sh *show) started(r *run) {
	sh.mu.Lock()
	defer sh.mu.Unlock()
	sh.current, sh.state, sh.why = r, Starting, ""
}

// stopped notes that there is none any more.
func (sh *show) stopped() {
	sh.mu.Lock()
	defer sh.mu.Unlock()
	sh.current, sh.state, sh.why = nil, Idle, ""
}
