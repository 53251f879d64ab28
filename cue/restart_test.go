package cue

import (
	"testing"
	"testing/synctest"
	"time"
)

// A write that has come before the end of the server, and waits for the disk when the journal is closed, is
// refused: it would not survive.
func TestWriteAsTheServerEnds(t *testing.T) {
	s := newStage(t, Config{})
	tl := s.timeline()
	if _, err := tl.Create(t.Context(), []byte(`{`+product("a")+`}`), ""); err != nil {
		t.Fatal(err)
	}
	tl.mu.Lock() // as somebody has who waits for the disk
	result := make(chan error)
	go func() {
		_, err := tl.Create(t.Context(), []byte(`{`+product("b")+`}`), "")
		result <- err
	}()
	for waits := 0; waits == 0; time.Sleep(time.Millisecond) {
		tl.queueMu.Lock()
		waits = len(tl.queue)
		tl.queueMu.Unlock()
	}
	s.book.closed.Store(true)
	tl.journal.close()
	tl.journal = nil
	tl.mu.Unlock()
	if err := <-result; code(err) != Unavailable {
		t.Errorf("the write was answered with %v", err)
	}
}

// Revisions of a cue do not overtake each other, whatever time they are for: the later one would be ended by the
// earlier one.
func TestOvertaking(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newStage(t, Config{})
		s.live()
		s.play(5 * time.Second)
		s.create(`{` + product("a") + `}`)
		s.play(500 * time.Millisecond)
		s.revise("a", `{"at":"+5s"}`)
		s.revise("a", `{"at":"-900ms"}`)
		s.play(time.Second)
		c, err := s.timeline().Get("a")
		if err != nil || c.Rev != 3 || c.State != Active || c.End != nil {
			t.Errorf("%+v, %v", c, err)
		}
		s.stop()
	})
}

// What viewers have been told of before a restart can be read while the host is awaited, and goes on to be, longer
// than the documents of a show that has ended.
func TestAwait(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newStage(t, Config{})
		s.live()
		s.play(3 * time.Second)
		s.create(`{` + product("a") + `}`)
		s.create(`{` + product("b") + `,"at":"+30s"}`)
		before, _ := s.timeline().Content("a", 1, "")
		s.crash()
		s.open(Config{Dir: s.dir})
		if _, ok := s.book.Find("shop"); ok {
			t.Error("the cues are there unasked")
		}
		s.book.Await([]string{"shop", "..", "other"})
		tl, ok := s.book.Find("shop")
		if !ok {
			t.Fatal("there are no cues")
		}
		check := func(when string) {
			t.Helper()
			if doc, ok := tl.Content("a", 1, ""); !ok || string(doc) != string(before) {
				t.Errorf("%s the document is %s, was %s", when, doc, before)
			}
		}
		check("without the host")
		if _, ok := tl.Content("b", 1, ""); ok {
			t.Error("what comes in half a minute can be read")
		}
		s.pub = nil
		s.live()
		s.play(2 * documentTime)
		check("a while later")
		s.stop()
	})
}

// Without a journal, an address of a document does not mean something else after a restart.
func TestRevisionsWithoutJournal(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		time.Sleep(27 * 365 * 24 * time.Hour) // a bubble's clock begins in 2000
		s := newStage(t, Config{Dir: Off})
		first := s.create(`{` + product("a") + `}`)
		second := s.create(`{` + product("b") + `}`)
		if second.Rev != first.Rev {
			t.Errorf("revisions %d and %d", first.Rev, second.Rev)
		}
		s.stop()
		time.Sleep(2 * time.Second)
		s.open(Config{Dir: Off})
		if again := s.create(`{` + product("a") + `}`); again.Rev <= first.Rev || again.Rev >= 1e9 {
			t.Errorf("revision %d follows %d", again.Rev, first.Rev)
		}
		s.stop()
	})
}

// A cue for a keyframe that came just before the server died: viewers may have been told of it, though the
// journal does not know. In the show that goes on it is another revision.
func TestKeyframeAndCrash(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newStage(t, Config{})
		s.live()
		s.play(3 * time.Second)
		go s.timeline().Create(t.Context(), []byte(`{`+product("a")+`,"at":"keyframe"}`), "")
		synctest.Wait()
		s.crash()
		s.open(Config{Dir: s.dir})
		s.pub = nil
		s.live()
		s.play(3 * time.Second)
		s.wantShown("a.2 3s-…")
		s.wantStates("a.2 active")
		time.Sleep(keyframeWait)
		s.stop()
	})
}
