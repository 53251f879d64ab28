package cue

import (
	"encoding/json"
	"time"
)

// State says where a cue is in its life.
type State string

// The states of a cue. Those with a show on are told by the live edge, which viewers are a little behind.
const (
	Pending   State = "pending"   // it has not begun
	Active    State = "active"    // it is up
	Over      State = "over"      // it has been up
	Withdrawn State = "withdrawn" // it was undone, replaced or missed before it began: nobody has seen it
)

// Instant is a moment of a show.
type Instant struct {
	// Media is the media time in seconds. It is nil while no show is on.
	Media *float64 `json:"media"`
	// Date is the program date-time. It is nil while that depends on when the show begins.
	Date *time.Time `json:"date"`
}

// Cue is a cue as those who write it see it: the newest revision of one id. It marshals to what the API
// answers.
type Cue struct {
	ID    string `json:"id"`
	Rev   int    `json:"rev"`
	Kind  string `json:"kind"`
	Slot  string `json:"slot"`
	State State  `json:"state"`
	// Start is the first frame with the cue; nil while the cue waits for what Waits says.
	Start *Instant `json:"start"`
	// End is the first frame without it, nil while that is open.
	End *Instant `json:"end"`
	// Waits is what Start depends on: "keyframe", "show", or nothing.
	Waits string `json:"waits,omitempty"`
	// Announced reports that viewers' players have been told: a change needs a new revision from here on.
	Announced bool `json:"announced"`
	// Hash is that of the content document.
	Hash string `json:"hash"`
	// Durable reports that the cue survives the process. It is false only if the server has no journal,
	// which it says when it starts.
	Durable bool `json:"durable"`
	// Content is the content document. List leaves it out.
	Content json.RawMessage `json:"content,omitempty"`
}

// Reply is the answer to a write: the cue as it is now.
type Reply struct {
	Cue
	// Back is the cue that an Undo has brought back into its slot, if any.
	Back *Cue `json:"back,omitempty"`
	// Created reports that the write has made a cue (201) rather than found or changed one (200).
	Created bool `json:"-"`
	// Repeated reports that the same write had been done before: nothing has changed.
	Repeated bool `json:"-"`
}

// Listing is all cues of a show's name.
type Listing struct {
	Name string `json:"name"`
	// Show is the show that is on, nil if none is.
	Show *OnAir `json:"show"`
	Cues []Cue  `json:"cues"` // by start; those that wait come last
}

// OnAir is the show that is on, and where it is.
type OnAir struct {
	Epoch string    `json:"epoch"`
	Start time.Time `json:"start"` // program date-time of media time zero
	Now   float64   `json:"now"`   // media time at which a cue for "now" would start, without delay
}

// Fact is what is true of a product at the moment, apart from any frame.
type Fact struct {
	Product string `json:"product"`
	// Stock is nil if it is not known.
	Stock *int64 `json:"stock,omitempty"`
	// Prices are as in a cue; empty if they are as the cues say.
	Prices json.RawMessage `json:"prices,omitempty"`
	// Updated is when the fact was set.
	Updated time.Time `json:"updated"`
}

// Rundown is a run of show and where it is.
type Rundown struct {
	Title string `json:"title,omitempty"`
	// Position counts the items that have been stepped to, from 1; 0 before the first.
	Position int    `json:"position"`
	Length   int    `json:"length"`
	Items    []Item `json:"items"`
	// Cue is what the step that this is the answer to has put up, nil if it was none.
	Cue *Cue `json:"cue,omitempty"`
	// Back is what an undone step has brought back.
	Back *Cue `json:"back,omitempty"`
	// Repeated reports that the same call had been made before: nothing has changed.
	Repeated bool `json:"-"`
}

// Item is one entry of a run of show.
type Item struct {
	ID   string `json:"id"`
	Kind string `json:"kind"`
	Slot string `json:"slot"`
	// Title is that of the first product, or the text, for the producer's eye.
	Title string `json:"title,omitempty"`
	// Planned is when it was planned for, as it was written; empty if it waits for its step.
	Planned string `json:"planned,omitempty"`
	// State is that of the item's cue, empty if there is none yet.
	State State `json:"state,omitempty"`
}

// Settings are what can be set for a show's name while the server runs.
type Settings struct {
	// Delay is added to "now" and "+3s", in seconds: how much the host's tool runs ahead of the uplink.
	Delay float64 `json:"delay"`
	// Configured is the delay that the configuration has for the name; it holds while none is set.
	Configured float64 `json:"configured"`
	Set        bool    `json:"set"` // Delay was set by the API
}
