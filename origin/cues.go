package origin

import (
	"crypto/sha256"
	"encoding/hex"
	"strconv"
	"sync"
	"sync/atomic"
	"time"

	"pushcart/cue"
	"pushcart/packager"
)

// Cues is where the cues of the shows are. Its method is called for each request below cues/, from any
// number of goroutines, and does not block.
type Cues interface {
	// Board returns what viewers can see of the cues under a show's name, false if there is nothing to see:
	// the show has not begun, or is long over.
	Board(name string) (Board, bool)
}

// Board is what viewers can see of one show's cues; *cue.Timeline is one. Its methods are safe for any number of goroutines and
// do not block.
type Board interface {
	// Content returns the content document of a revision, as JSON: in the locale that comes nearest to the
	// one asked for, or for "" in all. The same arguments give the same bytes for ever. It reports false for
	// a revision that there is not.
	Content(id string, rev int, locale string) ([]byte, bool)
	// Present returns the number of the present state of the cues and their list, and what renders that
	// state as JSON. Numbers go up; the same number means the same bytes.
	Present() (version uint64, render func() []byte)
	// Events returns what has happened behind the event numbered after, oldest first, and a channel that is
	// closed when there is more. Numbers go up by one. It reports false if after is no number of an event
	// that is remembered, nor the one before; then there are no events, and next follows on the latest.
	Events(after uint64) (events []cue.Event, next <-chan struct{}, ok bool)
	// Latest is the number of the latest event; zero before the first.
	Latest() uint64
}

// noCues is a Cues of no shows.
type noCues struct{}

func (noCues) Board(string) (Board, bool) { return nil, false }

// serveCues answers for what a show has below cues/, and for cues.json.
func (e *exchange) serveCues(name, path string) {
	want := parseCuePath(path)
	if want.kind == kindOther || len(path) > maxPathLen {
		e.fail(packager.ErrNotFound)
		return
	}
	e.kind = want.kind
	board, ok := e.s.Cues.Board(name)
	if !ok {
		e.fail(errNoShow)
		return
	}
	e.room = e.s.rooms.enter(name, time.Now().Unix())
	switch e.kind {
	case kindCueList:
		e.document(e.room.cues.present(board, e.s.cueTag))
	case kindCueEvents:
		e.listen(name, board)
	default:
		doc, ok := e.s.contents.document(name, want, board)
		if !ok {
			e.fail(packager.ErrNotFound)
			return
		}
		e.document(doc)
	}
}

// cueListing is a show's cues.json as it was last asked for.
type cueListing struct {
	latest atomic.Pointer[versionedDocument]
}

type versionedDocument struct {
	version uint64
	board   Board
	doc     *packager.Document
}

// present returns the document of the board's present version: made and compressed once, by the first who
// asks for it, and the same for all others.
func (l *cueListing) present(b Board, tag func(uint64) string) *packager.Document {
	version, render := b.Present()
	for {
		old := l.latest.Load()
		if old != nil && old.board == b && old.version >= version {
			return old.doc
		}
		next := &versionedDocument{version, b, packager.NewDocument(tag(version), render)}
		if l.latest.CompareAndSwap(old, next) {
			return next.doc
		}
	}
}

// contents keeps content documents as viewers get them, compressed once: when a cue is announced, everybody
// asks for it within a second. What was made first goes first. The zero value is usable.
type contents struct {
	mu    sync.Mutex // guards what follows
	docs  map[contentKey]*packager.Document
	order []contentKey
	bytes int // of the texts
}

type contentKey struct {
	show string
	path cuePath
}

const (
	// maxContents bounds the documents that are kept, and maxContentBytes their texts together.
	maxContents     = 4096
	maxContentBytes = 16 << 20
)

func (c *contents) document(show string, path cuePath, b Board) (*packager.Document, bool) {
	key := contentKey{show, path}
	c.mu.Lock()
	doc, ok := c.docs[key]
	c.mu.Unlock()
	if ok {
		return doc, true
	}
	text, ok := b.Content(path.id, path.rev, path.locale)
	if !ok {
		return nil, false
	}
	return c.keep(key, text), true
}

// keep makes a document of text, unless somebody else has just done so.
func (c *contents) keep(key contentKey, text []byte) *packager.Document {
	doc := packager.NewDocument(contentTag(text), func() []byte { return text })
	c.mu.Lock()
	defer c.mu.Unlock()
	if first, ok := c.docs[key]; ok {
		return first
	}
	if c.docs == nil {
		c.docs = make(map[contentKey]*packager.Document)
	}
	c.docs[key] = doc
	c.order = append(c.order, key)
	c.bytes += len(text)
	for len(c.order) > maxContents || c.bytes > maxContentBytes && len(c.order) > 1 {
		oldest := c.order[0]
		c.order = c.order[1:]
		c.bytes -= len(c.docs[oldest].Text())
		delete(c.docs, oldest)
	}
	return doc
}

// documentType is the Content-Type of the documents of a kind.
func (k kind) documentType() []string {
	if k == kindCue || k == kindCueList {
		return typeJSON
	}
	return typePlaylist
}

// contentTag is the validator of a document that never changes: what is in it.
func contentTag(text []byte) string {
	sum := sha256.Sum256(text)
	return hex.EncodeToString(sum[:8])
}

// cueTag is the validator of a state, which is numbered anew by each process.
func (s *Server) cueTag(version uint64) string { return s.boot + "-" + strconv.FormatUint(version, 36) }
