package cue

import (
	"encoding/json"
	"fmt"
	"strings"
	"testing"
	"testing/synctest"
	"time"
)

const evening = `# what we show tonight
title: Evening
items:
  - id: wig-1
    products:
      - {id: sku-1, title: {en: Bob wig, fr: Perruque}, prices: {USD: {amount: 3999, list: 5999}}, stock: 12, gtin: "0123"}
  - id: wig-2
    at: +30s
    duration: 20s
    products:
      - id: sku-2
        title: Long wig
        weight: 0.120
  - {id: sale, slot: clock, at: {media: 20}, until: +10m, text: "Until ten"}
  - kind: hide
  - id: wig-5
    text: |
      Thank you
      and good night
`

func (s *stage) load(body string) Rundown {
	s.Helper()
	r, err := s.timeline().Load(s.Context(), []byte(body), "")
	if err != nil {
		s.Fatal(err)
	}
	return r
}

func (s *stage) step(do func(*Timeline) (Rundown, error)) Rundown {
	s.Helper()
	r, err := do(s.timeline())
	if err != nil {
		s.Fatal(err)
	}
	synctest.Wait()
	return r
}

func (s *stage) nextItem() Rundown {
	s.Helper()
	return s.step(func(t *Timeline) (Rundown, error) { return t.Next(s.Context(), nil, "") })
}

func TestRundown(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newStage(t, Config{})
		r := s.load(evening) // before the show
		if r.Title != "Evening" || r.Length != 5 || r.Position != 0 || r.Items[0].Title != "Bob wig" || r.Items[1].Planned == "" || r.Items[3].ID != "item-4" {
			t.Errorf("%+v", r)
		}
		s.wantStates("sale.1 pending, wig-2.1 pending")
		s.live()
		s.play(time.Second)
		r = s.nextItem()
		if r.Position != 1 || r.Cue == nil || r.Cue.ID != "wig-1" || r.Cue.State != Active || r.Cue.End == nil {
			t.Errorf("%+v %+v", r, r.Cue)
		}
		s.wantShown("wig-1.1 2s-…")
		s.play(23 * time.Second)
		s.wantShown("wig-1.1 2s-31s, sale.1 20s-…, wig-2.1 31s-51s")
		if doc, _ := s.timeline().Content("sale", 1, ""); !strings.Contains(string(doc), `"until":"`+s.pub.Stream().Start().Add(20*time.Second+10*time.Minute).UTC().Format("2006-01-02T15:04:05")) {
			t.Errorf("%s", doc)
		}
		// The clock has begun by itself, and it is the third item's turn that is over.
		if r := s.timeline().Rundown(); r.Position != 3 {
			t.Errorf("position %d", r.Position)
		}
		r = s.nextItem()
		if r.Cue.ID != "item-4" || r.Cue.Kind != "hide" {
			t.Errorf("%+v", r.Cue)
		}
		s.wantShown("wig-1.1 2s-25s, sale.1 20s-…, item-4.1 25s-31s, wig-2.1 31s-51s")
		r = s.step(func(t *Timeline) (Rundown, error) { return t.UndoStep(s.Context(), "") })
		if r.Cue.ID != "item-4" || r.Back != nil {
			t.Errorf("%+v", r) // it lasted no frame: nothing has to come back
		}
		s.wantShown("wig-1.1 2s-31s, sale.1 20s-…, wig-2.1 31s-51s")
		s.play(time.Second)
		if r = s.step(func(t *Timeline) (Rundown, error) { return t.Previous(s.Context(), nil, "") }); r.Cue.ID != "wig-2" || r.Cue.Rev != 2 || r.Position != 2 {
			t.Errorf("%+v %+v", r, r.Cue)
		}
		s.wantShown("wig-1.1 2s-26s, sale.1 20s-…, wig-2.2 26s-46s")
		s.play(time.Second)
		r = s.step(func(t *Timeline) (Rundown, error) { return t.UndoStep(s.Context(), "") })
		if r.Back == nil || r.Back.ID != "wig-1" {
			t.Errorf("%+v", r)
		}
		s.play(time.Second)
		// The next run of show takes the place of this one.
		s.load(`[{"id":"a","kind":"hide"},{"id":"b","kind":"hide","at":"+1m"}]`)
		s.wantStates("b.1 pending, item-4.1 withdrawn, sale.1 active, wig-1.2 active, wig-2.2 over")
		s.nextItem()
		s.nextItem() // the planned one, ahead of its plan
		s.wantStates("a.1 withdrawn, b.2 active, item-4.1 withdrawn, sale.1 active, wig-1.2 over, wig-2.2 over")
		if _, err := s.timeline().Next(t.Context(), nil, ""); code(err) != Conflict {
			t.Errorf("behind the end: %v", err)
		}
		if r, err := s.timeline().Unload(t.Context(), ""); err != nil || r.Length != 0 {
			t.Errorf("%+v %v", r, err)
		}
		if _, err := s.timeline().Next(t.Context(), nil, ""); code(err) != NotFound {
			t.Errorf("without a run of show: %v", err)
		}
		s.stop()
	})
}

// A run of show survives the server, with its position, and a step with a key is taken once.
func TestRundownSurvives(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newStage(t, Config{})
		s.load(`[{"id":"a","kind":"hide"},{"id":"b","kind":"hide"},{"id":"c","kind":"hide"}]`)
		s.live()
		s.play(time.Second)
		for range 2 {
			r := s.step(func(t *Timeline) (Rundown, error) { return t.Next(s.Context(), nil, "step-1") })
			if r.Position != 1 || r.Cue.ID != "a" {
				t.Errorf("%+v", r)
			}
		}
		s.play(time.Second)
		s.nextItem()
		s.crash()
		time.Sleep(time.Second)
		s.open(Config{Dir: s.dir})
		s.pub = nil
		s.live()
		s.play(time.Second)
		if r := s.timeline().Rundown(); r.Position != 2 || r.Length != 3 || r.Items[1].State != Active {
			t.Errorf("%+v", r)
		}
		if r := s.step(func(t *Timeline) (Rundown, error) { return t.UndoStep(s.Context(), "") }); r.Position != 1 || r.Back == nil || r.Back.ID != "a" {
			t.Errorf("%+v", r)
		}
		s.stop()
	})
}

func TestRundownRefused(t *testing.T) {
	for body, why := range map[string]string{
		``:                     "empty",
		`[]`:                   "items is an empty list",
		`{"items":{}}`:         "items is an object",
		`{"item":[]}`:          `"item" is no part`,
		`[{"kind":"hide"},7]`:  "items[1] is 7",
		`[{"kind":"product"}]`: "items[0]: products is missing",
		`[{"id":"a","kind":"x"},{"id":"a","kind":"x"}]`: `items[1].id is a`,
		`[{"kind":"hide","at":"keyframe"}]`:             "can't be planned",
		"title: x\nitems:\n\t- kind: hide":              "no YAML",
		"- &a {kind: hide}\n- *a":                       "anchor",
		"- !!binary x":                                  "tag",
		"a: 1\na: 2\n":                                  "",
		"- {kind: hide, x: 0x1F}":                       "no number as JSON has them",
		"- {kind: hide, x: .inf}":                       "JSON has no word for",
		strings.Repeat("[", 100_000):                    "",
		strings.Repeat("- ", 100_000):                   "nested",
		strings.Repeat("{a: ", 100_000):                 "",
		"- kind: hide\n---\n- kind: hide":               "second document",
	} {
		if _, _, err := parseRundown([]byte(body)); err == nil || !strings.Contains(err.Error(), why) {
			t.Errorf("%.60q: %v, want %q", body, err, why)
		}
	}
}

// Ten thousand cues at once, and a thousand that are none.
func TestBulk(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newStage(t, Config{})
		s.live()
		s.play(time.Second)
		items := make([]string, MaxCues)
		for i := range items {
			items[i] = fmt.Sprintf(`{"id":"i%d","kind":"message","text":"number %d","slot":"s%d","at":{"media":%d}}`, i, i, i%16, 100+i)
		}
		plan := "[" + strings.Join(items, ",") + "]"
		r := s.load(plan)
		if r.Length != MaxCues {
			t.Errorf("%d items", r.Length)
		}
		if _, err := s.timeline().Create(t.Context(), []byte(`{"kind":"hide"}`), ""); code(err) != Full {
			t.Errorf("one more: %v", err)
		}
		for i := range 1000 {
			body := plan[i*7 : i*7+200]
			if _, err := s.timeline().Create(t.Context(), []byte(body), ""); code(err) != Invalid {
				t.Fatalf("%s: %v", body, err)
			}
		}
		s.play(100 * time.Second)
		s.marks.shown()
		if n := len(s.marks.latest); n != 11 { // those up to 8 s ahead
			t.Errorf("%d cues are out", n)
		}
		// All or none.
		if _, err := s.timeline().Load(t.Context(), []byte(`[{"id":"x","kind":"hide","at":"+1h"},{"kind":"hide","at":{"media":1}}]`), ""); code(err) != Invalid || !strings.Contains(err.Error(), "items[1] (item-2): at is ") {
			t.Errorf("%v", err)
		}
		if r := s.timeline().Rundown(); r.Length != MaxCues {
			t.Errorf("%d items", r.Length)
		}
		if c, err := s.timeline().Get("i9999"); err != nil || c.State != Pending {
			t.Errorf("%+v %v", c, err)
		}
		s.crash()
		s.open(Config{Dir: s.dir})
		if n := len(s.timeline().List().Cues); n != MaxCues {
			t.Errorf("%d cues after a crash", n)
		}
		s.stop()
	})
}

// A show that goes on for days forgets its oldest cues.
func TestForgetsOld(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newStage(t, Config{Dir: Off})
		s.live()
		s.play(time.Second)
		tl := s.timeline()
		tl.mu.Lock()
		for i := range int64(MaxCues) {
			id := fmt.Sprint("n", i)
			tl.st.apply(&record{Type: recRev, ID: id, Rev: 1, Kind: "hide", Slot: "main", Placed: true, Tick: -1e9 + i, End: when{byDuration, 1}, Doc: script{kind: "hide"}.document(id, 1)})
			tl.st.find(id, 1).told = true
		}
		tl.run()
		tl.mu.Unlock()
		for i := range 300 {
			time.Sleep(time.Second)
			s.create(fmt.Sprintf(`{"id":"m%d","kind":"hide"}`, i))
		}
		tl.mu.Lock()
		if tl.st.count > MaxCues || len(tl.st.used) != 300 {
			t.Errorf("%d cues, %d are forgotten", tl.st.count, len(tl.st.used))
		}
		tl.mu.Unlock()
		if r := s.create(`{"id":"n0","kind":"hide"}`); r.Rev != 2 {
			t.Errorf("n0 is back as revision %d", r.Rev)
		}
		s.stop()
	})
}

func TestSlotsLimit(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newStage(t, Config{Dir: Off})
		for i := range MaxSlots {
			time.Sleep(50 * time.Millisecond)
			s.create(fmt.Sprintf(`{"kind":"hide","slot":"s%d"}`, i))
		}
		if _, err := s.timeline().Create(t.Context(), []byte(`{"kind":"hide","slot":"more"}`), ""); code(err) != Full {
			t.Errorf("%v", err)
		}
		s.create(`{"kind":"hide","slot":"s7"}`)
		s.live()
		s.play(time.Second)
		if _, err := s.timeline().Create(t.Context(), []byte(`{"kind":"hide","slot":"more"}`), ""); code(err) != Full {
			t.Errorf("%v", err)
		}
		s.stop()
	})
}

// YAML says the same as JSON does.
func TestYAML(t *testing.T) {
	v, err := readPlan([]byte(evening))
	if err != nil {
		t.Fatal(err)
	}
	want := `{"title":"Evening","items":[{"id":"wig-1","products":[{"id":"sku-1","title":{"en":"Bob wig","fr":"Perruque"},"prices":{"USD":{"amount":3999,"list":5999}},"stock":12,"gtin":"0123"}]},` +
		`{"id":"wig-2","at":"+30s","duration":"20s","products":[{"id":"sku-2","title":"Long wig","weight":0.120}]},` +
		`{"id":"sale","slot":"clock","at":{"media":20},"until":"+10m","text":"Until ten"},{"kind":"hide"},{"id":"wig-5","text":"Thank you\nand good night\n"}]}`
	if got := string(appendJSON(nil, v)); got != want {
		t.Errorf("got  %s\nwant %s", got, want)
	}
}

func FuzzRundown(f *testing.F) {
	f.Add([]byte(evening))
	f.Add([]byte(`{"title":"x","items":[{"kind":"hide","at":"+3s"},{"id":"a","text":"x"}]}`))
	f.Add([]byte("- kind: hide\n- {text: [}"))
	f.Add([]byte("- ? a\n  : b"))
	f.Fuzz(func(t *testing.T, body []byte) {
		if len(body) > 8<<10 {
			return // the time that YAML takes is a matter for its limits, not for this
		}
		_, items, err := parseRundown(body)
		if err != nil {
			return
		}
		for _, sc := range items {
			if doc := sc.document(sc.id, 0); !json.Valid(doc) {
				t.Errorf("%q makes the document %s", body, doc)
			}
			sc.title()
		}
	})
}
