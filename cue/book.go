package cue

import (
	"log/slog"
	"time"

	"pushcart/stream"
)

// Book has the cues of all shows, by name. Its methods are safe for concurrent use.
type Book struct{}

// NewBook returns the book that is kept in cfg.Dir, which it makes if need be. If it can't be written, the
// book says so in the log and keeps everything in memory only. holdBack is how far viewers are behind the
// live edge at least.
func NewBook(cfg Config, holdBack time.Duration, log *slog.Logger) *Book { panic("soon") }

// Timeline returns the cues of the show name, which need not be on, for writing: it reads them from disk if
// need be. The error is an *Error.
func (b *Book) Timeline(name string) (*Timeline, error) { panic("soon") }

// Find returns the cues of the show name for reading, if the show is on or was a while ago. It does not block.
func (b *Book) Find(name string) (*Timeline, bool) { panic("soon") }

// Begin takes up the cues of a show that begins. It does not block, and is called before the show's first
// event.
func (b *Book) Begin(s *stream.Stream) { panic("soon") }

// HostMessage makes a cue of a data message from the host's encoder, if the configuration wants that. name
// is the message's name; args are its values: string, float64, bool, nil, map[string]any and []any; at is
// its media time. It does not block: when too many wait, the message is dropped and counted.
func (b *Book) HostMessage(s *stream.Stream, name string, args []any, at time.Duration) {
	panic("soon")
}

// Close puts the pen down. Shows that end from here on are taken to be interrupted by the end of the
// server: their cues go on if they begin again soon. Reading still works.
func (b *Book) Close() { panic("soon") }

// Stats is what a book has counted since it was opened.
type Stats struct {
	Created, Revised, Undone uint64 // by all means
	Refused                  uint64 // of the API's
	Messages                 uint64 // from hosts' encoders that have become cues
	MessagesIgnored          uint64 // that say nothing to cues
	MessagesRefused          uint64 // that are wrong, or too many
	MessagesDropped          uint64 // because too many waited
	JournalBytes             uint64 // written
	JournalErrors            uint64
}

// Stats returns the counts.
func (b *Book) Stats() Stats { panic("soon") }
