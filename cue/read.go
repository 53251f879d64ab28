package cue

// What viewers read of a Timeline. None of it blocks or waits for the disk.

// Event is a change that those who listen are told of.
type Event struct {
	// Number goes up by one from event to event, and begins anew with the process.
	Number uint64
	// Name is "cue" (Data is an Entry: a revision was announced, or its end has changed) or "facts" (Data
	// is an object with a Fact by product, null for one that is not known any more).
	Name string
	// Data is one line of JSON, for nobody to modify.
	Data []byte
}

// Entry is one announced revision in the list of a show's cues, in the words of the in-band messages.
type Entry struct {
	ID   string `json:"id"`
	Rev  int    `json:"rev"`
	Kind string `json:"kind"`
	Slot string `json:"slot"`
	// Start and End are program date-times in milliseconds, rounded down. End is nil while it is open; one
	// that is not after Start says that the revision was withdrawn.
	Start int64  `json:"start"`
	End   *int64 `json:"end"`
	Hash  string `json:"h"`
}

// Content returns the content document of a revision as JSON: for one BCP 47 tag (texts in that locale or what
// comes nearest: the language, "en", "und", the first there is), or for "" with all locales. The same
// arguments give the same bytes for ever. It is there before the Mark of the revision is posted, and not before
// it is about to be: what comes next in a show is nobody's business. It reports false for a revision that is not
// (yet) there, and for a tag that is none.
func (t *Timeline) Content(id string, rev int, locale string) ([]byte, bool) { panic("soon") }

// Present returns the number of the present state, which goes up, and what renders it as the document
// cues.json: the show's epoch, the announced revisions (Entry) and the facts. The same number means the same
// bytes.
func (t *Timeline) Present() (version uint64, render func() []byte) { panic("soon") }

// Events returns what has happened behind the event numbered after, oldest first, and a channel that is closed
// when there is more. It reports false if after is no number of an event that is remembered, nor the one
// before; then there are no events, and next follows on the latest.
func (t *Timeline) Events(after uint64) (events []Event, next <-chan struct{}, ok bool) { panic("soon") }

// Latest is the number of the latest event; zero before the first.
func (t *Timeline) Latest() uint64 { panic("soon") }
