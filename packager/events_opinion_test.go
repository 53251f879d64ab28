package packager

import (
	"bytes"
	"encoding/json"
	"errors"
	"io"
	"testing"

	"github.com/Eyevinn/mp4ff/mp4"
	"github.com/dhowden/tag"

	"pushcart/cue"
	"pushcart/media"
	"pushcart/media/mediatest"
)

// TestSecondOpinionOnEvents has mp4ff look for the events of a show, in its parts and in its segments, and an
// ID3 library that knows nothing of ours read them.
func TestSecondOpinionOnEvents(t *testing.T) {
	video := mediatest.Video{Start: 90000}
	p, _ := cueShow(t, []media.Track{video.Track()}, video.Units(300),
		at(0, mark("a", 1.5, cue.Open)), at(0, mark("b", 1.5, 4)), at(3, mark("Caf\u00e9-\u20ac", 3.3, cue.Open)))
	ours := messages(t, p, "v1")
	var segments, parts []byte
	pl := p.window.state.Load().renditions["v1"].state.Load()
	for _, s := range pl.segments {
		for _, x := range s.parts {
			parts = append(parts, x.data...)
		}
		o, found, _ := pl.object(s.uri[len("e1/v1/"):])
		for _, c := range o.Chunks {
			segments = append(segments, c...)
		}
		if found == s.gap {
			t.Errorf("segment %d: found is %v", s.msn, found)
		}
	}
	if !bytes.Equal(segments, parts) {
		t.Error("the segments are not their parts")
	}
	for _, x := range pl.open.parts {
		segments = append(segments, x.data...)
	}
	n := 0
	for r, pos := bytes.NewReader(segments), uint64(0); r.Len() > 0; {
		box, err := mp4.DecodeBox(pos, r)
		if err != nil {
			t.Fatal(err)
		}
		pos += box.Size()
		e, ok := box.(*mp4.EmsgBox)
		if !ok {
			continue
		}
		if n >= len(ours) {
			t.Fatalf("there is an event more: %v", e)
		}
		want := ours[n]
		n++
		if e.Version != 1 || e.TimeScale != 90_000 || e.PresentationTime != want.event.PresentationTime || e.ID != want.event.ID || e.SchemeIDURI != "https://aomedia.org/emsg/ID3" {
			t.Errorf("event %d: mp4ff reads %+v", n, e)
		}
		said := readID3(t, e.MessageData)
		if said.Op != want.Op || said.ID != want.ID {
			t.Errorf("event %d says %+v, want %+v", n, said, want)
		}
	}
	if n != len(ours) || n < 3+4 {
		t.Errorf("mp4ff finds %d events, we %d", n, len(ours))
	}
}

func readID3(t *testing.T, data []byte) (m message) {
	t.Helper()
	meta, err := tag.ReadID3v2Tags(bytes.NewReader(data))
	if err != nil {
		t.Fatalf("ID3: %v", err)
	}
	comm, ok := meta.Raw()["TXXX"].(*tag.Comm)
	if !ok || comm.Description != "org.pushcart.cue" {
		t.Fatalf("ID3: %+v", meta.Raw())
	}
	dec := json.NewDecoder(bytes.NewReader([]byte(comm.Text)))
	if err := dec.Decode(&m); err != nil {
		t.Fatalf("%q: %v", comm.Text, err)
	}
	if _, err := dec.Token(); !errors.Is(err, io.EOF) {
		t.Errorf("there is more behind the JSON: %q", comm.Text)
	}
	return m
}
