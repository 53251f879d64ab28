package cue

import (
	"fmt"
	"time"
)

// Code says what kind of refusal an Error is. The API has an HTTP status for each.
type Code uint8

// The kinds of refusal.
const (
	Invalid     Code = iota // what was sent is wrong, and is going to be wrong again
	TooLarge                // it is larger than a limit
	NotFound                // there is no such cue
	Conflict                // it contradicts what is there
	TooMany                 // too many at a time: again after RetryAfter
	Full                    // the show has as many as it may have
	Unavailable             // the server can't keep it now
)

// Error is a refusal. Nothing has changed. Its text is one sentence that says what is wrong and what to do.
type Error struct {
	Code   Code
	Reason string
	// RetryAfter is how long to wait when the Code is TooMany.
	RetryAfter time.Duration
}

// Error returns the sentence.
func (e *Error) Error() string { return e.Reason }

func refuse(code Code, format string, args ...any) *Error {
	return &Error{Code: code, Reason: fmt.Sprintf(format, args...)}
}
