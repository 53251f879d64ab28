package main

import (
	"pushcart/cue"
	"pushcart/origin"
)

// boards shows the book's cues to viewers. It implements origin.Cues.
type boards struct{ book *cue.Book }

// Board implements origin.Cues.
func (b boards) Board(name string) (origin.Board, bool) {
	t, ok := b.book.Find(name)
	if !ok {
		return nil, false
	}
	return t, true
}
