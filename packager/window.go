package packager

import (
	"context"
	"errors"
	"time"
)

// Errors of Window. Origin maps them to statuses.
var (
	// ErrNotFound: there is no such thing, and there won't be (404).
	ErrNotFound = errors.New("not found")
	// ErrTooFar: the playlist position asked for is too far ahead (400; rfc8216bis 6.2.5.2).
	ErrTooFar = errors.New("too far ahead of the live edge")
)

// Skip is the delta update that a viewer asked for with _HLS_skip.
type Skip uint8

// The delta updates.
const (
	SkipNone       Skip = iota
	SkipSegments        // _HLS_skip=YES
	SkipDateRanges      // _HLS_skip=v2
)

// Document is a text that every viewer gets the same bytes of. It is rendered, compressed and tagged
// at most once, at the first request for it.
type Document struct{}

// Text returns the document. Nobody modifies it.
func (d *Document) Text() []byte { panic("contract") }

// Gzip returns the document compressed with gzip. Nobody modifies it.
func (d *Document) Gzip() []byte { panic("contract") }

// ETag returns a strong validator of Text, quoted, without regard to compression.
func (d *Document) ETag() string { panic("contract") }

// Object is an initialization segment, a segment or a part. Its bytes never change.
type Object struct {
	ContentType string // "video/mp4" or "audio/mp4"
	// Chunks are the object's bytes in order (a segment is its parts). Nobody modifies them.
	Chunks [][]byte
	// Size is the sum of the chunks' lengths.
	Size int64
}

// Window is the read side of a packager: what viewers can see of a show. Its methods are safe for any
// number of goroutines; those that wait end at once when ctx does, with its error.
type Window struct{}

// Multivariant waits until the show can be played and returns its multivariant playlist.
func (w *Window) Multivariant(ctx context.Context) (*Document, error) { panic("contract") }

// Playlist returns the media playlist of a rendition ("v1", "a1", ...), as soon as it contains the
// position asked for: part part of segment msn, or something later; with a negative part, the whole
// segment msn. With a negative msn it waits only until the playlist has a first part. Once the show has
// ended, it answers at once. It returns ErrNotFound for a rendition that does not exist and ErrTooFar
// for a position that is out of reach.
func (w *Window) Playlist(ctx context.Context, rendition string, msn int64, part int, skip Skip) (*Document, error) {
	panic("contract")
}

// Object returns what a playlist named: path is the part of its URI behind the show's directory. The
// part that is hinted at present is waited for; anything else that is not there is ErrNotFound.
func (w *Window) Object(ctx context.Context, path string) (Object, error) { panic("contract") }

// Ended reports whether the show is over, so that nothing is going to change any more.
func (w *Window) Ended() bool { panic("contract") }

// TargetDuration and PartTarget are those of the playlists.
func (w *Window) TargetDuration() time.Duration { panic("contract") }
func (w *Window) PartTarget() time.Duration     { panic("contract") }
