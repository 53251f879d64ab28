package cue

import (
	"fmt"
	"strings"
	"testing"
	"time"
)

// TestListForgets: three hours of a cue every three seconds leave a list of what was up lately, of what still is, and
// content that can be read.
func TestListForgets(t *testing.T) {
	var b board
	b.init("shop")
	s := show{"e1", time.Date(2026, 11, 21, 20, 0, 0, 0, time.UTC)}
	b.begin(s, false)
	put := func(id, slot string, start, end int64) {
		r := &revision{id: id, rev: 1, kind: kindHide, slot: slot, start: start, doc: []byte(`{}`)}
		b.announce(r, s, end)
		b.publish()
	}
	put("all-evening", "side", 0, Open)
	const cues, every = 3600, 3 * Timescale
	most := 0
	for i := range int64(cues) {
		id := fmt.Sprint("wig-", i)
		put(id, "main", i*every, Open)
		put(id, "main", i*every, (i+1)*every)
		most = max(most, len(b.sorted))
	}
	list := string(b.present.Load().render())
	if lately := int(listTime.Seconds()) / 3; most > lately+4 || len(b.entries) != len(b.sorted) || strings.Count(list, `"id"`) != len(b.sorted) {
		t.Errorf("%d are listed at most, %d at last, of %d within the time", most, len(b.sorted), lately)
	}
	for id, listed := range map[string]bool{"all-evening": true, "wig-3599": true, "wig-3400": true, "wig-3000": false, "wig-0": false} {
		if strings.Contains(list, `"id":"`+id+`"`) != listed {
			t.Errorf("%s: it should be said to be listed: %v", id, listed)
		}
		if _, ok := b.docs.Load(docKey{id, 1}); !ok {
			t.Errorf("%s can't be read any more", id)
		}
	}
	for i := range int64(2 * MaxCues) {
		put(fmt.Sprint("more-", i), "main", (cues+i)*every, (cues+i+1)*every)
	}
	docs := 0
	b.docs.Range(func(any, any) bool { docs++; return true })
	if docs != MaxCues {
		t.Errorf("%d documents are kept", docs)
	}
	if _, ok := b.docs.Load(docKey{"all-evening", 1}); !ok {
		t.Error("what is still up can't be read any more")
	}
}
