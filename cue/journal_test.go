package cue

import (
	"bufio"
	"bytes"
	"context"
	"fmt"
	"log/slog"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"testing/iotest"
	"testing/synctest"
	"time"

	"pushcart/media"
	"pushcart/stream"
)

// written is a journal of a few writes, and where each of them ends.
func written(t testing.TB) (lines []byte, ends []int64) {
	t.Helper()
	for _, group := range [][]*record{
		{{Type: recBegin, Epoch: "e", Start: 1, Tick: Timescale, Wall: 1}},
		{{Type: recRev, ID: "a", Rev: 1, Kind: "hide", Slot: "main", Placed: true, Tick: Timescale, Doc: []byte(`{"a":"\u2028é"}`)}},
		{{Type: recLoad, Title: "x"}, {Type: recItem, ID: "i", Doc: []byte("{}")}, {Type: recRev, ID: "i", Rev: 1, At: when{By: byShow}, Doc: []byte("{}")}},
		{{Type: recDrop, ID: "a", Rev: 1}, {Type: recRev, ID: "a", Rev: 2, Placed: true, Tick: 2 * Timescale, Doc: []byte("{}")}},
	} {
		lines = append(lines, encode(group)...)
		ends = append(ends, int64(len(lines)))
	}
	return lines, ends
}

// TestTornJournal cuts a journal off at every byte: what was complete is there, and what was not is not.
func TestTornJournal(t *testing.T) {
	lines, ends := written(t)
	path := filepath.Join(t.TempDir(), "shop.cues")
	for n := range len(lines) + 1 {
		if err := os.WriteFile(path, lines[:n], 0o600); err != nil {
			t.Fatal(err)
		}
		records := 0
		j, bad, err := openJournal(path, func(*record) { records++ })
		if err != nil || bad > 0 {
			t.Fatalf("cut at %d: %d bad lines, %v", n, bad, err)
		}
		whole, want := int64(0), 0
		for i, end := range ends {
			if end <= int64(n) {
				whole, want = end, []int{1, 2, 5, 7}[i]
			}
		}
		if info, err := os.Stat(path); err != nil || info.Size() != whole || j.size != whole || records != want {
			t.Fatalf("cut at %d: %d bytes, %d records; want %d and %d (%v)", n, info.Size(), records, whole, want, err)
		}
		// What is written next can be read next.
		if err := j.append([][]*record{{{Type: recAlive, Wall: 7}}}, false); err != nil {
			t.Fatal(err)
		}
		j.close()
		records = 0
		if _, bad, err := openJournal(path, func(*record) { records++ }); err != nil || bad > 0 || records != want+1 {
			t.Fatalf("cut at %d, and gone on: %d records, %d bad, %v", n, records, bad, err)
		}
	}
}

// TestDamagedJournal changes every byte: the group that it is in is lost, and nothing else.
func TestDamagedJournal(t *testing.T) {
	lines, ends := written(t)
	for n := range lines {
		damaged := bytes.Clone(lines)
		damaged[n] ^= 0x15
		var got []string
		good, _, err := readJournal(iotest.OneByteReader(bytes.NewReader(damaged)), func(rec *record) { got = append(got, string(rec.Type)+rec.ID) })
		if err != nil {
			t.Fatal(err)
		}
		var want []string
		_, _, _ = readJournal(bytes.NewReader(lines), func(rec *record) { want = append(want, string(rec.Type)+rec.ID) })
		group := 0
		for int64(n) >= ends[group] {
			group++
		}
		bounds := []int{0, 1, 2, 5, 7}
		lost := [][]int{{bounds[group], bounds[group+1]}}
		if lines[n] == '\n' && group+1 < len(ends) && slices.Contains(ends, int64(n)+1) {
			lost[0][1] = bounds[group+2] // two lines have become one
		}
		want = slices.Delete(want, lost[0][0], lost[0][1])
		if !slices.Equal(got, want) {
			t.Errorf("byte %d changed: read %v, want %v", n, got, want)
		}
		if want := ends[len(ends)-1]; good != want && group != len(ends)-1 && lost[0][1] != 7 {
			t.Errorf("byte %d changed: good up to %d of %d", n, good, want)
		}
	}
}

func TestCompaction(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newStage(t, Config{})
		tl := s.timeline()
		text := strings.Repeat("x", 16_000)
		largest := int64(0)
		for i := range 150 {
			time.Sleep(100 * time.Millisecond)
			s.create(fmt.Sprintf(`{"id":"c","text":%q}`, text)) // a repetition, but for the first
			s.revise("c", fmt.Sprintf(`{"text":{"und":"%d%s"}}`, i, text))
			largest = max(largest, tl.journal.size)
		}
		if largest > 4*compactAt+4*int64(tl.st.bytes) {
			t.Errorf("the journal had %d bytes; its cues %d", largest, tl.st.bytes)
		}
		before := tl.st.text()
		s.crash()
		s.open(Config{Dir: s.dir})
		if got := s.timeline().List(); len(got.Cues) != 1 || got.Cues[0].Rev != 151 {
			t.Errorf("%+v", got)
		}
		if after := s.timeline().st.text(); after != before {
			t.Error("what was read is not what was written")
		}
		s.stop()
	})
}

// When the disk fails, nothing changes, and the next write finds all as it was.
func TestDiskFails(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newStage(t, Config{})
		s.live()
		s.play(time.Second)
		s.create(`{` + product("a") + `}`)
		s.create(`{` + product("p") + `,"at":"+5s"}`)
		tl := s.timeline()
		fail := func() { tl.journal.file.Close() }
		state, marks := tl.st.text(), len(s.marks.all)
		for what, write := range map[string]func() error{
			"create": func() error { _, err := tl.Create(t.Context(), []byte(`{`+product("b")+`}`), "key"); return err },
			"revise": func() error { _, err := tl.Revise(t.Context(), "a", []byte(`{"x":1}`), ""); return err },
			"move":   func() error { _, err := tl.Revise(t.Context(), "p", []byte(`{"at":"+1s"}`), ""); return err },
			"undo":   func() error { _, err := tl.Undo(t.Context(), "a", ""); return err },
			"load":   func() error { _, err := tl.Load(t.Context(), []byte(`[{"kind":"hide","at":"+9s"}]`), ""); return err },
			"fact":   func() error { _, err := tl.SetFact(t.Context(), "sku", []byte(`{"stock":1}`), ""); return err },
			"set":    func() error { _, err := tl.Set(t.Context(), []byte(`{"delay":"1s"}`), ""); return err },
		} {
			fail()
			tl.journal.behind = false
			if err := write(); code(err) != Unavailable {
				t.Errorf("%s: %v", what, err)
			}
			synctest.Wait()
			if tl.st.text() != state || len(s.marks.all) != marks {
				t.Errorf("%s has changed something:\n%s\nwas\n%s", what, tl.st.text(), state)
			}
		}
		if _, render := tl.Present(); !bytes.Contains(render(), []byte(`"facts":{}`)) {
			t.Errorf("%s", render())
		}
		s.play(time.Second)
		s.create(`{` + product("c") + `}`)
		s.wantStates("a.1 over, c.1 active, p.1 pending")
		s.crash()
		s.open(Config{Dir: s.dir})
		s.wantStates("a.1 over, c.1 active, p.1 pending")
		s.stop()
	})
}

// A keyframe comes while the disk fails: that can't be taken back, and is not forgotten.
func TestDiskFailsAtKeyframe(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newStage(t, Config{})
		s.live()
		s.play(time.Second)
		go s.timeline().Create(t.Context(), []byte(`{`+product("k")+`,"at":"keyframe"}`), "")
		synctest.Wait()
		s.timeline().journal.file.Close()
		s.play(2 * time.Second)
		s.wantShown("k.1 3s-…")
		s.create(`{"kind":"hide","id":"h","slot":"side"}`)
		s.crash()
		s.open(Config{Dir: s.dir})
		s.wantStates("h.1 active, k.1 active")
		s.stop()
	})
}

func TestDirs(t *testing.T) {
	var said bytes.Buffer
	log := slog.New(slog.NewTextHandler(&said, nil))
	file := filepath.Join(t.TempDir(), "file")
	if err := os.WriteFile(file, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	b := NewBook(Config{Dir: filepath.Join(file, "cues")}, holdBack, log)
	b.Open()
	if n := strings.Count(said.String(), "\n"); n != 1 || !strings.Contains(said.String(), "cues.dir can't be used") {
		t.Errorf("a directory that can't be: %s", said.String())
	}
	tl, err := b.Timeline("shop")
	if err != nil {
		t.Fatal(err)
	}
	if r, err := tl.Create(t.Context(), []byte(`{"kind":"hide"}`), ""); err != nil || r.Durable {
		t.Errorf("%+v %v", r, err)
	}
	b.Close()
	b = NewBook(Config{Dir: Off}, holdBack, log)
	if b.Open(); b.dir != "" {
		t.Error("a directory although it is off")
	}
	for _, name := range []string{"", ".", "..", "a/b", "a b", "é", strings.Repeat("x", 65)} {
		if _, err := b.Timeline(name); code(err) != Invalid {
			t.Errorf("%q: %v", name, err)
		}
	}
}

// Only one book at a time writes in a directory.
func TestLock(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var said bytes.Buffer
		cfg := Config{Dir: t.TempDir()}
		first := NewBook(cfg, holdBack, slog.New(slog.DiscardHandler))
		first.Open()
		second := NewBook(cfg, holdBack, slog.New(slog.NewTextHandler(&said, nil)))
		second.Open()
		if second.dir != "" || !strings.Contains(said.String(), "another process has locked it") {
			t.Errorf("%s", said.String())
		}
		second.Close()
		go func() {
			time.Sleep(time.Second)
			first.Close()
		}()
		third := NewBook(cfg, holdBack, slog.New(slog.DiscardHandler))
		if third.Open(); third.dir == "" {
			t.Error("the lock of a book that was closed is still there")
		}
		third.Close()
		third.running.Wait()
	})
}

func TestCleaning(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newStage(t, Config{})
		s.live()
		s.play(time.Second)
		r := s.create(`{` + product("a") + `}`)
		s.play(time.Second)
		s.pub.Close(nil)
		time.Sleep(2 * time.Hour) // the show is over, and nobody has asked for long
		synctest.Wait()
		tl, _ := s.book.Find("shop")
		tl.mu.Lock()
		if tl.st != nil {
			t.Error("what nobody needs is still in memory")
		}
		tl.mu.Unlock()
		if _, ok := tl.Content("a", 1, ""); ok {
			t.Error("the document is still there")
		}
		if got, err := tl.Get("a"); err != nil || got.State != Over || got.Hash != r.Hash {
			t.Errorf("%+v %v", got, err)
		}
		old := time.Now().Add(-memory - time.Hour)
		path := s.book.path("shop")
		if err := os.Chtimes(path, old, old); err != nil {
			t.Fatal(err)
		}
		time.Sleep(2 * time.Hour)
		synctest.Wait()
		if _, err := os.Stat(path); !os.IsNotExist(err) {
			t.Errorf("the journal of a show of nine days ago: %v", err)
		}
		if r := s.create(`{` + product("a") + `}`); r.Rev != 1 || !r.Durable {
			t.Errorf("%+v", r)
		}
		s.stop()
	})
}

// TestKilled kills a real process, with SIGKILL, while it takes cues: each that it has answered for is there once.
func TestKilled(t *testing.T) {
	if dir := os.Getenv("CUE_TEST_DIR"); dir != "" {
		takeCues(dir)
		return
	}
	dir := t.TempDir()
	want := 0
	for round := range 3 {
		cmd := exec.CommandContext(t.Context(), os.Args[0], "-test.run=^TestKilled$")
		cmd.Env = append(os.Environ(), "CUE_TEST_DIR="+dir, fmt.Sprint("CUE_TEST_ROUND=", round))
		out, err := cmd.StdoutPipe()
		if err != nil {
			t.Fatal(err)
		}
		if err := cmd.Start(); err != nil {
			t.Fatal(err)
		}
		answered := 0
		for lines := bufio.NewScanner(out); lines.Scan() && strings.HasPrefix(lines.Text(), "took "); {
			if answered++; answered == 50+17*round {
				cmd.Process.Kill()
			}
		}
		cmd.Wait()
		if want += answered; answered < 50 {
			t.Fatalf("the child answered %d times", answered)
		}
	}
	b := NewBook(Config{Dir: dir}, holdBack, slog.New(slog.DiscardHandler))
	b.Open()
	defer b.Close()
	tl, err := b.Timeline("shop")
	if err != nil {
		t.Fatal(err)
	}
	list := tl.List().Cues
	// Each round may have had some on their way that it did not come to answer for.
	if len(list) < want || len(list) > want+3*writers {
		t.Errorf("%d cues, %d were answered for", len(list), want)
	}
	for _, c := range list {
		if c.Rev != 1 {
			t.Errorf("%s has revision %d", c.ID, c.Rev)
		}
	}
}

const writers = 8

// takeCues is the child: a show, and some who write cues to it at once.
func takeCues(dir string) {
	log := slog.New(slog.DiscardHandler)
	b := NewBook(Config{Dir: dir}, holdBack, log)
	b.Open()
	h := stream.NewHub(stream.Config{}, log, b.Begin)
	p, err := h.Publish("shop", stream.Source{})
	if err != nil || b.dir == "" {
		fmt.Println(err, b.dir)
		os.Exit(1)
	}
	_ = p.Begin([]media.Track{video.Track(), Track})
	au := video.Unit(0)
	au.DTS, au.PTS = au.DTS+Timescale, au.PTS+Timescale
	_ = p.Write(au)
	tl, _ := b.Timeline("shop")
	answers := make(chan string)
	for w := range writers {
		go func() {
			for i := 0; ; i++ {
				id := fmt.Sprintf("r%s-%d-%d", os.Getenv("CUE_TEST_ROUND"), w, i)
				tl.mu.Lock()
				tl.writes = bucket{} // no limit here
				tl.mu.Unlock()
				if _, err := tl.Create(context.Background(), []byte(`{"id":"`+id+`","kind":"hide"}`), ""); err == nil {
					answers <- id
				} else {
					answers <- err.Error()
				}
			}
		}()
	}
	for id := range answers {
		fmt.Println("took", id)
	}
}

func FuzzJournal(f *testing.F) {
	lines, _ := written(f)
	f.Add(lines)
	f.Add(lines[:len(lines)/2])
	f.Add(bytes.Replace(lines, []byte("e"), []byte("x"), 3))
	f.Add([]byte("00000000 {}\n"))
	f.Add(encode([]*record{{Type: recOver, Tick: 1}, {Type: recBegin, Epoch: "e", Resumed: true}, {Type: recPlace, ID: "a", Rev: 1}, {Type: recUnstep}}))
	f.Fuzz(func(t *testing.T, data []byte) {
		s := newState()
		var groups []record
		good, bad, err := readJournal(bytes.NewReader(data), func(rec *record) {
			groups = append(groups, *rec)
			s.apply(rec)
		})
		if err != nil || good > int64(len(data)) || bad < 0 {
			t.Fatal(good, bad, err)
		}
		// What is good is good by itself.
		n := 0
		again, _, _ := readJournal(bytes.NewReader(data[:good]), func(*record) { n++ })
		if again != good || n != len(groups) {
			t.Fatalf("%d records in %d bytes, read again %d in %d", len(groups), good, n, again)
		}
		s.dump("shop", 0)
		s.settle(0, func(*revision) {})
	})
}

// FuzzRecords makes records of any kind, in any order, with sums that are right.
func FuzzRecords(f *testing.F) {
	lines, _ := written(f)
	var texts []byte
	for line := range bytes.Lines(lines) {
		texts = append(texts, line[9:]...)
	}
	f.Add(texts)
	f.Add([]byte(`{"t":"rev","id":"a","rev":1}` + "\n" + `{"t":"begin","epoch":"e","tick":90000,"start":-1}` + "\n" + `{"t":"over","tick":1}` + "\n" + `{"t":"load"}` + "\n" + `{"t":"step","position":9}`))
	f.Fuzz(func(t *testing.T, texts []byte) {
		var journal []byte
		for line := range bytes.Lines(texts) {
			journal = append(journal, sumLine(bytes.TrimRight(line, "\n"))...)
		}
		s := newState()
		_, _, err := readJournal(bytes.NewReader(journal), func(rec *record) { s.apply(rec) })
		if err != nil {
			t.Fatal(err)
		}
		for _, c := range s.cues {
			for _, r := range c.revs {
				if r.placed {
					s.effective(r)
					s.displacedBy(r)
				}
			}
		}
		s.settle(0, func(*revision) {})
		s.timeline()
	})
}
