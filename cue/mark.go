package cue

import (
	"encoding/json"
	"fmt"
	"math"

	"pushcart/media"
)

// Timescale is the number of ticks in a second of cues' media times: that of all video.
const Timescale = 90_000

// Track is the data track that cues ride on. It is part of every epoch of every show.
var Track = media.Track{ID: 1001, Codec: media.CodecCue, Timescale: Timescale}

// Open is the end of a cue that has none yet.
const Open = math.MaxInt64

// MaxMarkBytes bounds a Mark as JSON: a cue's content, and what stands around it.
const MaxMarkBytes = 66 << 10

// Mark says where one revision of a cue stands on the show's timeline. It is what a unit on Track holds, as
// JSON. A later Mark with the same ID and Rev takes the place of the earlier one, so that it does no harm to
// hear one twice.
type Mark struct {
	// ID is the cue's name, unlike that of any other cue of the show.
	ID string `json:"id"`
	// Rev counts the revisions of the cue, from 1. A revision's content never changes.
	Rev int `json:"rev"`
	// Kind is what it is: product, hide, countdown, message, or the caller's own word.
	Kind string `json:"kind"`
	// Slot is the place on the screen that it takes.
	Slot string `json:"slot"`
	// Start is the media time of the first frame with the cue, in ticks of Timescale. It never changes once
	// the Mark has been posted. It is negative if the cue began in a show that this one goes on with.
	Start int64 `json:"start"`
	// End is the media time of the first frame without it. It is Open as long as nobody knows, and may change
	// until that frame is there. If it is not after Start, the revision was withdrawn: nobody shall see it.
	End int64 `json:"end"`
	// Hash is the first 16 hexadecimal digits of the SHA-256 of Content.
	Hash string `json:"hash"`
	// Content is the content document with all locales. It is for other nodes; it does not go in band.
	Content json.RawMessage `json:"content,omitempty"`
}

// Withdrawn reports whether nobody shall see the revision.
func (m Mark) Withdrawn() bool { return m.End <= m.Start }

// Key names the revision among all of the show.
func (m Mark) Key() string { return fmt.Sprintf("%s.%d", m.ID, m.Rev) }

// Unit returns the unit of Track that carries m.
func (m Mark) Unit() media.AccessUnit {
	data, err := json.Marshal(m)
	if err != nil {
		panic(err) // only Content could be at fault, and whoever made it has parsed it
	}
	at := max(m.Start, 0)
	return media.AccessUnit{Track: Track.ID, DTS: at, PTS: at, RandomAccess: true, Data: data}
}

// ParseMark reads what a unit of Track carries. The error says what is wrong with it.
func ParseMark(data []byte) (Mark, error) {
	var m Mark
	if len(data) > MaxMarkBytes {
		return m, fmt.Errorf("cue: a mark of %d bytes: at most %d are allowed", len(data), MaxMarkBytes)
	}
	if err := json.Unmarshal(data, &m); err != nil {
		return m, fmt.Errorf("cue: mark: %w", err)
	}
	if m.ID == "" || m.Rev < 1 {
		return m, fmt.Errorf("cue: a mark needs an id and a revision")
	}
	return m, nil
}
