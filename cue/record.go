package cue

import (
	"encoding/json"
	"time"
)

// recordType says what a record tells.
type recordType string

// What a journal's records tell. Their names are those on disk, and never change their meaning.
const (
	recHead   recordType = "head"   // first of a file: Version, Name
	recID     recordType = "id"     // ID was used up to Rev
	recRev    recordType = "rev"    // a revision: ID, Rev, Kind, Slot, Doc, At, End, perhaps Placed at Tick
	recPlace  recordType = "place"  // the revision's start is known: Tick
	recEnd    recordType = "end"    // the revision's own End has changed; perhaps Undone
	recDrop   recordType = "drop"   // nobody shall see the revision
	recForget recordType = "forget" // the revision is over, and makes room
	recBegin  recordType = "begin"  // a show: Epoch, Start, first Tick; perhaps Resumed
	recOver   recordType = "over"   // the show has ended at Tick
	recAlive  recordType = "alive"  // the show is on at Wall
	recFact   recordType = "fact"   // of Product: Stock, Prices
	recDelay  recordType = "delay"  // Delay
	recKey    recordType = "key"    // idempotency key: Key, Asked, and the cue that came of it
	recLoad   recordType = "load"   // a run of show: Title, or nothing in place of one
	recItem   recordType = "item"   // its next item: ID, Doc, At, End
	recStep   recordType = "step"   // to Position, which put ID, Rev up
	recUnstep recordType = "unstep" // the last step was taken back
)

// record is one line of a journal.
type record struct {
	Type recordType `json:"t"`
	// Of is how many records belong together with this one, itself included, and Left how many of them
	// follow: all count, or none. Both are zero for one that stands alone.
	Of   int `json:"of,omitempty"`
	Left int `json:"left,omitempty"`
	// Wall is when it was written, in milliseconds since 1970.
	Wall int64 `json:"wall,omitempty"`

	ID     string          `json:"id,omitempty"`
	Rev    int             `json:"rev,omitempty"`
	Kind   string          `json:"kind,omitempty"`
	Slot   string          `json:"slot,omitempty"`
	At     when            `json:"at,omitzero"`
	Placed bool            `json:"placed,omitempty"`
	Tick   int64           `json:"tick,omitempty"`
	End    when            `json:"end,omitzero"`
	Undone bool            `json:"undone,omitempty"`
	Until  string          `json:"until,omitempty"` // as it was written, if it counts from the start
	Asked  string          `json:"asked,omitempty"` // digest of what the caller has asked for
	Doc    json.RawMessage `json:"doc,omitempty"`

	Epoch   string `json:"epoch,omitempty"`
	Start   int64  `json:"start,omitempty"` // of the show's media time, in nanoseconds since 1970
	Resumed bool   `json:"resumed,omitempty"`

	Product string          `json:"product,omitempty"`
	Stock   *int64          `json:"stock,omitempty"`
	Prices  json.RawMessage `json:"prices,omitempty"`
	Delay   *time.Duration  `json:"delay,omitempty"`

	Key      string `json:"key,omitempty"`
	Title    string `json:"title,omitempty"`
	Position int    `json:"position,omitempty"`
	None     bool   `json:"none,omitempty"` // load: there is none

	Version int    `json:"version,omitempty"`
	Name    string `json:"name,omitempty"`
}
