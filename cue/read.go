package cue

import (
	"encoding/json"
	"maps"
	"slices"
	"strconv"
	"sync"
	"sync/atomic"
	"time"
)

// What viewers read of a Timeline. None of it waits for the disk, or for those who write.

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

const (
	// maxEvents is how many events are remembered.
	maxEvents = 256
	// maxLocalized bounds the localized documents that are kept of a revision.
	maxLocalized = 64
	// listTime is how long a revision stays in the list when it is over. A list of all that a show of three
	// hours has had would be what pages that fetch it every few seconds spend their bandwidth on; what a
	// longer window has is in its playlists.
	listTime = 15 * time.Minute
	// documentTime is how long the documents of a show can be read after the next show has begun.
	documentTime = 10 * time.Minute
)

// board is what viewers read. The Timeline's lock is held by whoever changes it.
type board struct {
	name string
	show show

	entries map[string]*listed // by key
	sorted  []*listed          // by start; replaced, never modified
	newest  int64              // start of the newest there has been, as in an Entry
	past    []docKey           // what is not listed any more, and can be read; oldest first
	known   map[string][]byte  // facts by product, as JSON; replaced, never modified
	version uint64
	touched bool // something has changed since publish

	present atomic.Pointer[present]
	docs    sync.Map // docKey -> *document

	eventsMu sync.Mutex // guards what follows
	events   []Event
	last     uint64
	more     chan struct{} // closed and replaced with each event
}

type docKey struct {
	id  string
	rev int
}

// document is a content document, and what has been made of it.
type document struct {
	all       []byte
	localized sync.Map // locale -> []byte
	kept      atomic.Int32
}

// listed is an Entry and its JSON. It is never modified.
type listed struct {
	Entry
	mark Mark // without content
	text []byte
}

// present is a state of the board. It is never modified.
type present struct {
	version uint64
	name    string
	show    show
	entries []*listed
	facts   map[string][]byte
	render  func() []byte
}

func (b *board) init(name string) {
	b.name = name
	b.entries = make(map[string]*listed)
	b.more = make(chan struct{})
	b.touched = true
	b.publish()
}

// Content returns the content document of a revision as JSON: for one BCP 47 tag (texts in that locale or what
// comes nearest: the language, "en", "und", the first there is), or for "" with all locales. The same
// arguments give the same bytes for ever. It is there before the Mark of the revision is posted, and not before
// it is about to be: what comes next in a show is nobody's business. It reports false for a revision that is not
// (yet) there, and for a tag that is none.
func (t *Timeline) Content(id string, rev int, locale string) ([]byte, bool) {
	v, ok := t.board.docs.Load(docKey{id, rev})
	if !ok || locale != "" && !isLocale(locale) {
		return nil, false
	}
	d := v.(*document)
	if locale == "" {
		return d.all, true
	}
	if text, ok := d.localized.Load(locale); ok {
		return text.([]byte), true
	}
	text, err := localize(d.all, locale)
	if err != nil {
		return nil, false
	}
	if d.kept.Add(1) <= maxLocalized {
		d.localized.Store(locale, text)
	}
	return text, true
}

// Present returns the number of the present state, which goes up, and what renders it as the document
// cues.json: the show's epoch, the announced revisions (Entry) that are to come, up or have been lately, and the
// facts. The same number means the same
// bytes.
func (t *Timeline) Present() (version uint64, render func() []byte) {
	p := t.board.present.Load()
	return p.version, p.render
}

// Events returns what has happened behind the event numbered after, oldest first, and a channel that is closed
// when there is more. It reports false if after is no number of an event that is remembered, nor the one
// before; then there are no events, and next follows on the latest.
func (t *Timeline) Events(after uint64) (events []Event, next <-chan struct{}, ok bool) {
	b := &t.board
	b.eventsMu.Lock()
	defer b.eventsMu.Unlock()
	first := b.last - uint64(len(b.events)) // the number before the oldest
	if after < first || after > b.last {
		return nil, b.more, false
	}
	return slices.Clone(b.events[after-first:]), b.more, true
}

// Latest is the number of the latest event; zero before the first.
func (t *Timeline) Latest() uint64 {
	t.board.eventsMu.Lock()
	defer t.board.eventsMu.Unlock()
	return t.board.last
}

// tell adds an event.
func (b *board) tell(name string, data []byte) {
	b.eventsMu.Lock()
	defer b.eventsMu.Unlock()
	b.last++
	if len(b.events) == maxEvents {
		b.events = slices.Clone(b.events[maxEvents/4:])
	}
	b.events = append(b.events, Event{b.last, name, data})
	close(b.more)
	b.more = make(chan struct{})
}

// keep makes the documents of a revision readable.
func (b *board) keep(r *revision) {
	b.docs.LoadOrStore(docKey{r.id, r.rev}, &document{all: r.doc})
}

// announce lists a revision that ends at end, as far as anybody shall know.
func (b *board) announce(r *revision, s show, end int64) {
	b.keep(r)
	b.list(Mark{ID: r.id, Rev: r.rev, Kind: r.kind, Slot: r.slot, Start: r.start, End: end, Hash: r.hash}, s)
}

// list puts what a mark says into the list.
func (b *board) list(m Mark, s show) {
	b.show = s
	ms := func(ticks int64) int64 { return s.date(ticks).Truncate(time.Millisecond).UnixMilli() }
	l := &listed{Entry: Entry{ID: m.ID, Rev: m.Rev, Kind: m.Kind, Slot: m.Slot, Start: ms(m.Start), Hash: m.Hash}, mark: m}
	if m.End != Open {
		end := ms(m.End)
		if m.Withdrawn() {
			end = l.Start
		}
		l.End = &end
	}
	old := b.entries[m.Key()]
	if l.text, _ = json.Marshal(l.Entry); old != nil && string(old.text) == string(l.text) {
		return
	}
	b.entries[m.Key()] = l
	b.newest = max(b.newest, l.Start)
	sorted := make([]*listed, 0, len(b.sorted)+1)
	for _, x := range b.sorted {
		switch {
		case x == old:
		case x.End != nil && *x.End < b.newest-listTime.Milliseconds():
			delete(b.entries, x.mark.Key())
			b.past = append(b.past, docKey{x.ID, x.Rev})
		default:
			sorted = append(sorted, x)
		}
	}
	at, _ := slices.BinarySearchFunc(sorted, l.Start, func(x *listed, start int64) int {
		if x.Start > start {
			return 1
		}
		return -1
	})
	b.sorted = slices.Insert(sorted, at, l)
	for len(b.past) > 0 && len(b.past)+len(b.sorted) > MaxCues { // in a show that goes on for days
		b.docs.Delete(b.past[0])
		b.past = b.past[1:]
	}
	b.touched = true
	b.tell("cue", l.text)
}

// withdraw lists a mark that nobody shall see any more.
func (b *board) withdraw(m Mark) {
	m.End = m.Start
	b.list(m, b.show)
}

// begin forgets the former show, unless this one goes on with it. Its documents can be read for a while by those
// who are at its end.
func (b *board) begin(s show, resumed bool) {
	b.show, b.entries, b.sorted, b.touched = s, make(map[string]*listed), nil, true
	b.newest, b.past = 0, nil
	if resumed {
		return
	}
	var old []any
	b.docs.Range(func(key, _ any) bool {
		old = append(old, key)
		return true
	})
	if len(old) == 0 {
		return
	}
	time.AfterFunc(documentTime, func() {
		for _, key := range old {
			b.docs.Delete(key)
		}
	})
}

// forget leaves nothing to read.
func (b *board) forget() {
	b.entries, b.sorted, b.known, b.touched = make(map[string]*listed), nil, nil, true
	b.newest, b.past = 0, nil
	b.docs.Clear()
	b.publish()
}

// end closes the list with the show.
func (b *board) end(s *state) {
	for _, l := range b.sorted {
		m := l.mark
		r := s.find(m.ID, m.Rev)
		switch {
		case r == nil || r.withdrawn:
			m.End = m.Start
		case r.placed:
			m.End = s.effective(r)
		}
		b.list(m, s.show)
	}
}

// fact tells what is true of a product now; nil is nothing.
func (b *board) fact(product string, f *Fact) {
	known := maps.Clone(b.known)
	if known == nil {
		known = make(map[string][]byte)
	}
	text := []byte("null")
	if delete(known, product); f != nil {
		text, _ = json.Marshal(f)
		known[product] = text
	}
	b.known, b.touched = known, true
	b.tell("facts", appendFacts(nil, map[string][]byte{product: text}))
}

// facts takes what is known after the journal has been read.
func (b *board) facts(all map[string]*Fact) {
	if len(all) == 0 {
		return
	}
	b.known, b.touched = make(map[string][]byte, len(all)), true
	for product, f := range all {
		b.known[product], _ = json.Marshal(f)
	}
}

// publish makes what has changed the present.
func (b *board) publish() {
	if !b.touched {
		return
	}
	b.touched = false
	b.version++
	p := &present{version: b.version, name: b.name, show: b.show, entries: b.sorted, facts: b.known}
	p.render = sync.OnceValue(p.text)
	b.present.Store(p)
}

// text is the document cues.json.
func (p *present) text() []byte {
	out := appendString([]byte(`{"v":1,"name":`), p.name)
	out = appendString(append(out, `,"epoch":`...), p.show.epoch)
	out = append(out, `,"cues":[`...)
	for i, e := range p.entries {
		if i > 0 {
			out = append(out, ',')
		}
		out = append(out, e.text...)
	}
	out = append(out, `],"facts":`...)
	return append(appendFacts(out, p.facts), '}')
}

func appendFacts(dst []byte, facts map[string][]byte) []byte {
	dst = append(dst, '{')
	for i, product := range slices.Sorted(maps.Keys(facts)) {
		if i > 0 {
			dst = append(dst, ',')
		}
		dst = append(appendString(dst, product), ':')
		dst = append(dst, facts[product]...)
	}
	return append(dst, '}')
}

// number writes n, for documents.
func number(n int) json.Number { return json.Number(strconv.Itoa(n)) }
