package cue

import (
	"errors"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"time"

	"pushcart/media"
	"pushcart/stream"
)

// Book has the cues of all shows, by name. Its methods are safe for concurrent use.
type Book struct {
	cfg      Config
	holdBack int64 // ticks
	log      *slog.Logger
	dir      string   // empty: nothing is kept
	lock     *os.File // of the directory
	closed   atomic.Bool
	counts   counts
	// firstRev is what revisions are counted from where nothing is kept: the time, in seconds. An address of a
	// document never means something else, not even after a restart.
	firstRev int
	stop     chan struct{}
	running  sync.WaitGroup // followers and the janitor

	mu        sync.Mutex // guards what follows
	timelines map[string]*Timeline
	inboxes   map[*stream.Stream]chan<- hostMessage
}

type counts struct {
	created, revised, undone, refused           atomic.Uint64
	messages, ignored, messagesRefused, dropped atomic.Uint64
	journalBytes, journalErrors                 atomic.Uint64
}

const (
	// maxNames bounds the names that cues are kept of at a time.
	maxNames = 100_000
	// lockWait is how long a book waits for the one before it to be closed: an upgrade starts the new server
	// while the old one goes.
	lockWait = 3 * time.Second
	// idleTime is how long the cues of a name without a show stay in memory.
	idleTime = time.Hour
	// cleanTime is how often it is looked whether there are any, or journals that nobody needs.
	cleanTime = 10 * time.Minute
	// staleTime is when a journal goes that still holds something, and has not been touched since.
	staleTime = 90 * 24 * time.Hour
	suffix    = ".cues"
)

// revisionsBegin is the zero of revisions where nothing is kept: nine digits (origin's bound) last for 31 years.
var revisionsBegin = time.Date(2024, time.January, 1, 0, 0, 0, 0, time.UTC)

// NewBook returns an empty book. holdBack is how far viewers are behind the live edge at least.
func NewBook(cfg Config, holdBack time.Duration, log *slog.Logger) *Book {
	return &Book{
		cfg:       cfg.WithDefaults(),
		holdBack:  media.Ticks(holdBack, Timescale),
		log:       log,
		firstRev:  max(0, int(time.Since(revisionsBegin)/time.Second)),
		stop:      make(chan struct{}),
		timelines: make(map[string]*Timeline),
		inboxes:   make(map[*stream.Stream]chan<- hostMessage),
	}
}

// Open reads what is kept in the configured directory, which it makes if need be. If that can't be written, the
// book says so in the log and keeps everything in memory only. It is called once, before anything else.
func (b *Book) Open() {
	if b.cfg.Dir == Off {
		return
	}
	lock, err := lockDir(b.cfg.Dir)
	if err != nil {
		b.log.Warn("cues.dir can't be used: cues are taken, but a restart loses them; make it writable for this process, or name another directory",
			slog.String("dir", b.cfg.Dir), slog.Any("error", err))
		return
	}
	b.dir, b.lock = b.cfg.Dir, lock
	b.running.Go(b.clean)
}

// lockDir makes a directory this process's own, and sees whether it can be written.
func lockDir(dir string) (*os.File, error) {
	if err := os.MkdirAll(dir, 0o750); err != nil {
		return nil, unwrapPath(err)
	}
	f, err := os.OpenFile(filepath.Join(dir, "lock"), os.O_RDWR|os.O_CREATE, 0o640)
	if err != nil {
		return nil, unwrapPath(err)
	}
	for end := time.Now().Add(lockWait); ; time.Sleep(lockWait / 30) {
		err = syscall.Flock(int(f.Fd()), syscall.LOCK_EX|syscall.LOCK_NB)
		if err == nil {
			break
		}
		if !errors.Is(err, syscall.EWOULDBLOCK) || time.Now().After(end) {
			f.Close()
			return nil, fmt.Errorf("another process has locked it (%w)", err)
		}
	}
	probe, err := os.CreateTemp(dir, ".probe-*")
	if err != nil {
		f.Close()
		return nil, unwrapPath(err)
	}
	probe.Close()
	os.Remove(probe.Name())
	return f, nil
}

// showName is what a show can be called: what needs no escape in a URL. It is also fit for a file.
var showName = regexp.MustCompile(`^[A-Za-z0-9._~-]{1,64}$`).MatchString

// path is the file of a name's journal, empty if none is kept.
func (b *Book) path(name string) string {
	if b.dir == "" || b.closed.Load() {
		return ""
	}
	return filepath.Join(b.dir, name+suffix)
}

// Timeline returns the cues of the show name, which need not be on, for writing: it reads them from disk if
// need be. The error is an *Error.
func (b *Book) Timeline(name string) (*Timeline, error) {
	if !showName(name) || name == "." || name == ".." {
		return nil, refuse(Invalid, "%s is no show's name: use up to 64 of A-Z, a-z, 0-9, ., _, ~ and -", quote(name))
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	t := b.timelines[name]
	if t == nil {
		if len(b.timelines) >= maxNames {
			return nil, refuse(Full, "the server keeps the cues of %d shows, which is as many as it can", maxNames)
		}
		t = newTimeline(b, name)
		b.timelines[name] = t
	}
	return t, nil
}

// Find returns the cues of the show name for reading, if the show is on or was a while ago, or somebody has
// written to them. It does not block.
func (b *Book) Find(name string) (*Timeline, bool) {
	b.mu.Lock()
	defer b.mu.Unlock()
	t, ok := b.timelines[name]
	return t, ok
}

// Await reads the cues of shows that were on when the last server ended, and whose hosts are expected back, so
// that viewers who still play them find what they have been told of. It waits for the disk.
func (b *Book) Await(names []string) {
	for _, name := range names {
		t, err := b.Timeline(name)
		if err != nil {
			continue // no show can have that name
		}
		t.await()
	}
}

// Begin takes up the cues of a show that begins. It does not block, and is called before the show's first
// event.
func (b *Book) Begin(s *stream.Stream) {
	t, err := b.Timeline(s.Name())
	if err != nil {
		b.log.Error("a show has no cues", slog.String("stream", s.Name()), slog.Any("error", err))
		return
	}
	begun := make(chan int64, 1)
	s.AtKeyframe(func(pts, timescale int64) (string, media.AccessUnit, bool) {
		begun <- media.Rescale(pts, timescale, Timescale)
		return "", media.AccessUnit{}, false
	})
	inbox := make(chan hostMessage, maxWaiting)
	b.mu.Lock()
	b.inboxes[s] = inbox
	b.mu.Unlock()
	b.running.Go(func() {
		t.follow(s, begun, inbox)
		b.mu.Lock()
		delete(b.inboxes, s)
		b.mu.Unlock()
	})
}

// HostMessage makes a cue of a data message from the host's encoder, if the configuration wants that. name
// is the message's name; args are its values: string, float64, bool, nil, map[string]any and []any, which belong
// to the book from here on; at is its media time. It does not block: when too many wait, the message is dropped
// and counted.
func (b *Book) HostMessage(s *stream.Stream, name string, args []any, at time.Duration) {
	b.mu.Lock()
	inbox := b.inboxes[s]
	b.mu.Unlock()
	if inbox == nil {
		return
	}
	select {
	case inbox <- hostMessage{name, args, at}:
	default:
		b.counts.dropped.Add(1)
	}
}

// Close puts the pen down. Shows that end from here on are taken to be interrupted by the end of the
// server: their cues go on if they begin again soon. Reading still works.
func (b *Book) Close() {
	if b.closed.Swap(true) {
		return
	}
	close(b.stop)
	b.mu.Lock()
	var all []*Timeline
	for _, t := range b.timelines {
		all = append(all, t)
	}
	b.mu.Unlock()
	for _, t := range all {
		t.close()
	}
	if b.lock != nil {
		b.lock.Close()
	}
}

// close puts the Timeline's journal away.
func (t *Timeline) close() {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.journal == nil {
		return
	}
	if t.live != nil {
		_ = t.commit([][]*record{{{Type: recAlive, Wall: time.Now().UnixMilli()}}}) // said in the log
	}
	t.journal.close()
	t.journal = nil
}

// clean puts away what nobody needs, until the book is closed.
func (b *Book) clean() {
	ticker := time.NewTicker(cleanTime)
	defer ticker.Stop()
	for {
		b.unloadIdle()
		b.removeStale()
		select {
		case <-ticker.C:
		case <-b.stop:
			return
		}
	}
}

// unloadIdle takes the cues of names without a show out of memory. They are read again when somebody asks.
func (b *Book) unloadIdle() {
	b.mu.Lock()
	var all []*Timeline
	for _, t := range b.timelines {
		all = append(all, t)
	}
	b.mu.Unlock()
	for _, t := range all {
		t.mu.Lock()
		if t.live == nil && t.journal != nil && !t.journal.behind && time.Since(t.used) > idleTime {
			t.unload()
		}
		t.mu.Unlock()
	}
}

// unload forgets what the journal has. The caller holds the lock.
func (t *Timeline) unload() {
	t.journal.close()
	t.st, t.journal = nil, nil
	t.board.forget()
}

// removeStale removes the journals that have been left alone for so long that nothing in them counts.
func (b *Book) removeStale() {
	entries, err := os.ReadDir(b.dir)
	if err != nil {
		b.log.Error("cues.dir can't be read", slog.String("dir", b.dir), slog.Any("error", err))
		return
	}
	for _, e := range entries {
		name, ours := strings.CutSuffix(e.Name(), suffix)
		info, err := e.Info()
		if !ours || err != nil || time.Since(info.ModTime()) <= memory {
			continue
		}
		if t, err := b.Timeline(name); err == nil {
			t.removeStale(time.Since(info.ModTime()) > staleTime)
		}
	}
}

func (t *Timeline) removeStale(anyway bool) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.load()
	if t.live != nil || t.journal == nil || time.Since(t.used) < idleTime {
		return
	}
	if s := t.st; anyway || len(s.waiting) == 0 && s.run == nil && s.delay == nil && len(s.facts) == 0 {
		if err := os.Remove(t.journal.path); err != nil {
			t.log.Error("an old journal of cues can't be removed", slog.Any("error", err))
		}
	}
	t.unload()
}

// Stats is what a book has counted since it was opened.
type Stats struct {
	Created, Revised, Undone uint64 // by the API
	Refused                  uint64 // of the API's writes
	Messages                 uint64 // from hosts' encoders that have become cues
	MessagesIgnored          uint64 // that say nothing to cues
	MessagesRefused          uint64 // that are wrong, or too many
	MessagesDropped          uint64 // because too many waited
	JournalBytes             uint64 // written
	JournalErrors            uint64
}

// Stats returns the counts.
func (b *Book) Stats() Stats {
	c := &b.counts
	return Stats{
		Created: c.created.Load(), Revised: c.revised.Load(), Undone: c.undone.Load(), Refused: c.refused.Load(),
		Messages: c.messages.Load(), MessagesIgnored: c.ignored.Load(),
		MessagesRefused: c.messagesRefused.Load(), MessagesDropped: c.dropped.Load(),
		JournalBytes: c.journalBytes.Load(), JournalErrors: c.journalErrors.Load(),
	}
}
