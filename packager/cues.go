package packager

import (
	"cmp"
	"encoding/json"
	"slices"
	"time"

	"pushcart/cue"
	"pushcart/media"
	"pushcart/packager/fmp4"
	"pushcart/packager/m3u8"
)

// A cue reaches players in three ways (docs/cues.md). A date range in the playlists is the authority: listed
// when the cue is heard of, closed by a second tag when its end has come. An event in the part that holds its
// first frame tells players to the frame, also those that do not read date ranges. And the first part of each
// segment says what is up there, for players that come in later. All three only point at the content.

const (
	cueClass  = "org.pushcart.cue"   // CLASS of the date ranges, and the description of the TXXX frames
	cueScheme = "urn:pushcart:cue:1" // value of the events: what their ids mean
	// maxMessage bounds the JSON of one event: what goes in band stays small (Amazon IVS has the same bound).
	maxMessage = 1000
	// maxLiveCues bounds the cues that are up or to come; the oldest are closed.
	maxLiveCues = 1000
	// maxPartEvents bounds the events of one part. The rest goes into the parts that follow.
	maxPartEvents = 512
)

// cues are the show's, as far as they are up or to come, and what is listed of all in the window.
type cues struct {
	live   []*liveCue // by start
	known  map[string]*liveCue
	ranges dateRanges
	last   uint32 // event id
	edge   int64  // end of the media so far, in ticks of cue.Timescale; it does not go back
	trim   int64  // what the ranges have been trimmed for: the first listed msn
	// up says that players that hear no more than what is in band take something to be up.
	up bool
	// touched says that something has been heard of a cue since passEdge.
	touched bool
	states  [maxCuts + 2]state // the newest, by number
}

// state is what the first parts of a segment say is up, the same in all renditions.
type state struct {
	msn      int64
	messages [][]byte
}

// liveCue is a revision of a cue that still has to be told of.
type liveCue struct {
	cue.Mark
	event      uint32 // id of its event
	message    []byte // what that says, once it has been said: the same in all renditions
	lasts      int64  // likewise, in ticks of cue.Timescale; cue.Open
	attributes []m3u8.Attribute
	closed     bool         // the second tag is out
	told       []*rendition // that have its event behind them
}

// data takes a unit of a data track. Cues are all that viewers get of those.
func (p *Packager) data(au media.AccessUnit) error {
	if au.Track != cue.Track.ID {
		return nil
	}
	m, err := cue.ParseMark(au.Data)
	if err != nil {
		return err
	}
	p.mark(m)
	return nil
}

// mark takes what is known of a revision of a cue.
func (p *Packager) mark(m cue.Mark) {
	c := &p.cues
	c.touched = true
	if old := c.known[m.Key()]; old != nil {
		if !old.closed {
			old.End = m.End
		}
		return
	}
	if p.expired(m.End) {
		return // nobody has heard of it, and nobody has to
	}
	if len(c.live) == maxLiveCues {
		p.evict()
	}
	m.Content = nil // whoever wants it asks for it
	c.last++
	n := &liveCue{Mark: m, event: c.last, attributes: []m3u8.Attribute{
		{Name: "X-ORG-PUSHCART-KIND", Value: m.Kind},
		{Name: "X-ORG-PUSHCART-SLOT", Value: m.Slot},
		{Name: "X-ORG-PUSHCART-H", Value: m.Hash},
	}}
	if c.known == nil {
		c.known = make(map[string]*liveCue)
	}
	c.known[m.Key()] = n
	at, _ := slices.BinarySearchFunc(c.live, n, func(a, b *liveCue) int {
		if a.Start > b.Start {
			return 1
		}
		return -1 // behind those of the same time
	})
	c.live = slices.Insert(c.live, at, n)
	p.listRange(n, -1)
}

// expired reports whether a cue that ends at end has left the window. As long as nothing has left it, none has:
// players may still have one open that has ended since the server before this one did.
func (p *Packager) expired(end int64) bool {
	return p.firstMSN > max(p.show.FirstMSN, 1) && p.cueDate(end).Before(p.positionTime(p.windowStart(), cue.Timescale))
}

// evict closes the cue that would end first.
func (p *Packager) evict() {
	c := &p.cues
	first := slices.MinFunc(c.live, func(a, b *liveCue) int { return cmp.Compare(a.End, b.End) })
	first.End = min(first.End, max(c.edge, first.Start))
	p.closeRange(first)
	c.live = slices.DeleteFunc(c.live, func(x *liveCue) bool { return x == first })
}

// listRange lists a tag of a cue: the first with a negative duration, the one that closes it with what it
// lasted.
func (p *Packager) listRange(c *liveCue, lasted time.Duration) {
	forgotten := p.cues.ranges.add(m3u8.DateRange{
		ID:         c.Key(),
		Class:      cueClass,
		Start:      p.cueDate(c.Start),
		Duration:   lasted,
		Attributes: c.attributes,
	}, p.cueDate(p.cues.edge))
	if forgotten != "" {
		delete(p.cues.known, forgotten)
	}
	if p.lead == nil { // no part is going to bring it
		p.dirtyRanges()
	}
}

// closeRange lists the tag that closes a cue at its End.
func (p *Packager) closeRange(c *liveCue) {
	if c.closed {
		return
	}
	c.closed = true
	p.listRange(c, max(0, p.cueDate(c.End).Sub(p.cueDate(c.Start))))
}

func (p *Packager) dirtyRanges() {
	for _, r := range p.renditions {
		r.dirty = r.dirty || r.ready && r.carriesRanges()
	}
}

// cueDate is the program date-time of a cue's time. It is rounded down to the milliseconds that playlists
// have: a start that is later than its frame would make players miss the frame.
func (p *Packager) cueDate(ticks int64) time.Time {
	return p.positionTime(ticks, cue.Timescale).Truncate(time.Millisecond)
}

// windowStart is where the oldest listed media begins, in ticks of cue.Timescale.
func (p *Packager) windowStart() int64 {
	for _, r := range p.renditions {
		if l := r.listed(p.firstMSN); len(l) > 0 {
			return media.Ticks(l[0].start.Sub(p.show.Start), cue.Timescale)
		}
	}
	return 0
}

// passEdge closes the cues whose end lies behind the newest media, and forgets what has left the window.
func (p *Packager) passEdge() {
	c := &p.cues
	c.touched = false
	if p.lead != nil && p.started {
		c.edge = max(c.edge, p.lead.cueEdge())
	}
	for _, x := range c.live {
		if x.End <= c.edge || x.Withdrawn() {
			p.closeRange(x)
		}
	}
	c.live = slices.DeleteFunc(c.live, func(x *liveCue) bool { return x.closed && p.passed(x) })
	if c.trim != p.firstMSN && len(p.renditions) > 0 {
		c.trim = p.firstMSN
		for _, id := range c.ranges.expire(p.positionTime(p.windowStart(), cue.Timescale), p.cueDate(c.edge), p.skippable()) {
			delete(c.known, id)
		}
	}
}

// skippable is the program date-time before which lies all that a delta update can be based on: CAN-SKIP-UNTIL,
// and how far other renditions may lag. What counts is media: while the host is away dates go on, and those who
// wait for what comes next do not.
func (p *Packager) skippable() time.Time {
	reach := (6 + maxCuts) * time.Duration(p.targetDuration) * time.Second
	for _, r := range p.renditions {
		if l := r.listed(p.firstMSN); len(l) > 0 {
			i := len(l) - 1
			for ; i > 0 && reach > 0; i-- {
				reach -= l[i].duration
			}
			return l[i].start
		}
	}
	return time.Time{}
}

// passed reports whether all renditions that carry events are beyond the end of x.
func (p *Packager) passed(x *liveCue) bool {
	return !slices.ContainsFunc(p.renditions, func(r *rendition) bool {
		return r.carriesEvents() && r.begun && r.cueEdge() < x.End
	})
}

// cueEdge is the end of r's newest part, in ticks of cue.Timescale.
func (r *rendition) cueEdge() int64 {
	end := r.end
	if len(r.samples) > 0 {
		end = r.partStart
	}
	return media.Rescale(end, r.timescale(), cue.Timescale)
}

// endCues closes what is up when the show ends.
func (p *Packager) endCues() {
	for _, x := range p.cues.live {
		x.End = min(x.End, max(p.cues.edge, x.Start))
		p.closeRange(x)
	}
	p.cues.live = nil
	p.dirtyRanges()
}

// carriesEvents reports whether events go into r's parts: video has them, and audio where there is none.
func (r *rendition) carriesEvents() bool {
	return !r.idle && (r.video() || r.p.lead == r)
}

// carriesRanges reports whether date ranges are listed in r's playlist. That does not change when the host
// goes or comes, unlike what r's parts carry.
func (r *rendition) carriesRanges() bool {
	return r.video() || !slices.ContainsFunc(r.p.renditions, (*rendition).video)
}

// events returns what goes before the moof of the part in the making, from partStart to end; first says that
// it is the first of its segment. Cues that began before the epoch has had any media are left to the first
// segment's state. One that came too late for its own part is told at the beginning of this one: an event
// must lie within its fragment (AOM, Carriage of ID3 Timed Metadata in CMAF).
func (r *rendition) events(first bool) []fmp4.Event {
	if !r.carriesEvents() {
		return nil
	}
	var list []fmp4.Event
	if first {
		list = r.stateEvents()
	}
	for _, c := range r.p.cues.live {
		at := media.Rescale(c.Start, cue.Timescale, r.timescale())
		if at >= r.end || len(list) >= maxPartEvents {
			break
		}
		if c.Withdrawn() || slices.Contains(c.told, r) {
			continue
		}
		c.told = append(c.told, r)
		if at < r.since || c.End <= media.Rescale(r.partStart, r.timescale(), cue.Timescale) {
			continue
		}
		if c.message == nil {
			c.message, c.lasts = r.p.showMessage(c), c.End
			if c.End != cue.Open {
				c.lasts -= c.Start
			}
		}
		lasts := uint32(fmp4.UnknownDuration)
		if c.lasts != cue.Open {
			lasts = uint32(min(media.Rescale(c.lasts, cue.Timescale, r.timescale()), fmp4.UnknownDuration))
		}
		list = append(list, r.event(max(at, r.partStart), lasts, c.event, c.message))
		r.p.cues.up = true
	}
	return list
}

func (r *rendition) event(at int64, lasts, id uint32, message []byte) fmp4.Event {
	return fmp4.Event{
		Timescale:        uint32(r.timescale()),
		PresentationTime: uint64(max(0, at)),
		Duration:         lasts,
		ID:               id,
		Scheme:           fmp4.SchemeID3,
		Value:            cueScheme,
		Data:             fmp4.AppendID3TXXX(nil, cueClass, string(message)),
	}
}

// showMessage is what the event of a cue says.
func (p *Packager) showMessage(c *liveCue) []byte {
	return mustJSON(struct {
		V     int    `json:"v"`
		Op    string `json:"op"`
		ID    string `json:"id"`
		Rev   int    `json:"rev"`
		Kind  string `json:"kind"`
		Slot  string `json:"slot"`
		Start int64  `json:"start"`
		End   *int64 `json:"end"`
		Hash  string `json:"h"`
	}{1, "cue", c.ID, c.Rev, c.Kind, c.Slot, p.cueDate(c.Start).UnixMilli(), p.endMilli(c), c.Hash})
}

// endMilli is the program date-time of c's end, nil if it is open.
func (p *Packager) endMilli(c *liveCue) *int64 {
	if c.End == cue.Open {
		return nil
	}
	ms := p.cueDate(c.End).UnixMilli()
	return &ms
}

// stateEvents say which cues are up at the beginning of the segment in the making.
func (r *rendition) stateEvents() []fmp4.Event {
	s := &r.p.cues.states[r.open.msn%int64(len(r.p.cues.states))]
	if s.msn < r.open.msn { // it is the first rendition that gets there
		*s = state{r.open.msn, r.p.stateMessages(media.Rescale(r.partStart, r.timescale(), cue.Timescale))}
	}
	if s.msn != r.open.msn {
		return nil
	}
	events := make([]fmp4.Event, 0, len(s.messages)+1)
	for n, message := range s.messages {
		// The same in all renditions, and unlike those of cues, whose first bit is not set.
		id := 1<<31 | uint32(r.open.msn*256+int64(n))
		events = append(events, r.event(r.partStart, uint32(r.ticks(r.p.cfg.Latency.Segment)), id, message))
	}
	return events
}

// stateMessages say which cues are up at now, in ticks of cue.Timescale. That nothing is up any more is said once.
func (p *Packager) stateMessages(now int64) [][]byte {
	var chunks [][]json.RawMessage
	size := maxMessage
	for _, c := range p.cues.live {
		if c.Start > now || c.End <= now || c.Withdrawn() {
			continue
		}
		entry := mustJSON([]any{c.ID, c.Rev, c.Kind, c.Slot, p.cueDate(c.Start).UnixMilli(), p.endMilli(c), c.Hash})
		const around = 100 // bytes of the message beside its entries
		if size += len(entry) + 1; size > maxMessage-around {
			chunks = append(chunks, nil)
			size = len(entry) + 1
		}
		chunks[len(chunks)-1] = append(chunks[len(chunks)-1], entry)
	}
	if was := p.cues.up; was && len(chunks) == 0 {
		chunks = [][]json.RawMessage{{}}
		p.cues.up = false
	} else {
		p.cues.up = len(chunks) > 0
	}
	messages := make([][]byte, len(chunks))
	for n, entries := range chunks {
		messages[n] = mustJSON(struct {
			V    int               `json:"v"`
			Op   string            `json:"op"`
			At   int64             `json:"at"`
			N    int               `json:"n"`
			Of   int               `json:"of"`
			Cues []json.RawMessage `json:"cues"`
		}{1, "state", p.cueDate(now).UnixMilli(), n, len(chunks), entries})
	}
	return messages
}

func mustJSON(v any) []byte {
	text, err := json.Marshal(v)
	if err != nil {
		panic(err) // strings and numbers
	}
	return text
}
