package pushlog

import (
	"bytes"
	"errors"
	"slices"
	"strings"
	"testing"
)

func TestRoundTrip(t *testing.T) {
	want := []Entry{{Stream: 3, Picture: 77, DTS: 1234, Wall: 1_700_000_000_000_000_001}, {Picture: -1, Cue: "sale \"42\""}}
	var b bytes.Buffer
	w := NewWriter(&b)
	for _, e := range want {
		w.Add(e)
	}
	if err := w.Flush(); err != nil {
		t.Fatal(err)
	}
	got, err := Read(&b)
	if err != nil || !slices.Equal(got, want) {
		t.Errorf("got %+v, %v, want %+v", got, err, want)
	}
	if _, err := Read(strings.NewReader(`{"s":1}` + "\n" + `{"s":`)); err == nil {
		t.Error("a torn log was read without an error")
	}
}

type full struct{}

var errFull = errors.New("disk full")

func (full) Write([]byte) (int, error) { return 0, errFull }

func TestErrorSticks(t *testing.T) {
	w := NewWriter(full{})
	for range 10_000 {
		w.Add(Entry{})
	}
	if err := w.Flush(); !errors.Is(err, errFull) {
		t.Errorf("got %v, want %v", err, errFull)
	}
}
