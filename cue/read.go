package cue

// Document is something that viewers read. It never changes.
type Document struct {
	// Body is JSON, for nobody to modify.
	Body []byte
	// ETag is a strong validator, in quotes.
	ETag string
}

// Entry is one announced revision in a Snapshot, in the words of the in-band messages.
type Entry struct {
	ID   string `json:"id"`
	Rev  int    `json:"rev"`
	Kind string `json:"kind"`
	Slot string `json:"slot"`
	// Start and End are program date-times in milliseconds. End is nil while it is open; one that is not
	// after Start says that the revision was withdrawn.
	Start int64  `json:"start"`
	End   *int64 `json:"end"`
	Hash  string `json:"h"`
	// Version is that of the first Snapshot in which the entry is as it is.
	Version uint64 `json:"-"`
}

// Snapshot is what viewers can know of a show's cues at one moment. It never changes; its methods are safe
// for any number of goroutines.
type Snapshot struct {
	// Version grows with each change of one Timeline, across restarts of the server too (it is no count).
	Version uint64
	// ETag is a strong validator of Body, in quotes.
	ETag string
	// Epoch is that of the show, empty if none has begun.
	Epoch string
	// Entries are the announced revisions of the show, by start. Facts are by product.
	Entries []Entry
	Facts   []Fact

	changed chan struct{}
	body    func() []byte
}

// Changed is closed when there is a newer Snapshot.
func (s *Snapshot) Changed() <-chan struct{} { return s.changed }

// Body is the document cues.json. It is made when it is first asked for, and is for nobody to modify.
func (s *Snapshot) Body() []byte { return s.body() }

// State returns what viewers can know now. It does not block.
func (t *Timeline) State() *Snapshot { panic("soon") }

// Document returns the content document of a revision with all locales. It is there before the Mark of the
// revision is posted, and not before it is about to be: what comes next in a show is nobody's business. It
// does not block.
func (t *Timeline) Document(id string, rev int) (Document, bool) { panic("soon") }

// Localized returns the content document of a revision for one BCP 47 tag: texts in that locale or what comes
// nearest (the language, "en", "und", the first there is). It is false for a tag that is none. It does not
// block.
func (t *Timeline) Localized(id string, rev int, locale string) (Document, bool) { panic("soon") }
