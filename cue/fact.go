package cue

import (
	"context"
	"encoding/json"
	"time"
)

// SetFact says what is true of a product now: {"stock": 3, "prices": {...}}; null takes back what was said of
// either. Viewers who listen hear of it at once; it is no revision of a cue.
func (t *Timeline) SetFact(ctx context.Context, product string, body []byte, key string) (Fact, error) {
	patch, err := parseFact(product, body)
	if err != nil {
		t.book.counts.refused.Add(1)
		return Fact{}, err
	}
	var f Fact
	err = t.do(func(x *tx) error {
		if err := x.limit(&t.facts); err != nil { // by product: there is no second of one
			return err
		}
		f = Fact{Product: product, Updated: x.wall.UTC()}
		if old := x.s.facts[product]; old != nil {
			f.Stock, f.Prices = old.Stock, old.Prices
		} else if len(x.s.facts) >= MaxFacts {
			return refuse(Full, "facts of %d products are known, which is as many as possible: take some back with {\"stock\": null, \"prices\": null}", MaxFacts)
		}
		if stock, ok := patch.get("stock"); ok {
			f.Stock = nil
			if n, ok := stock.(json.Number); ok {
				exact, _ := n.Float64()
				count := int64(exact)
				f.Stock = &count
			}
		}
		if prices, ok := patch.get("prices"); ok {
			f.Prices = nil
			if prices != nil {
				f.Prices = appendJSON(nil, prices)
			}
		}
		x.emit(&record{Type: recFact, Product: product, Stock: f.Stock, Prices: f.Prices})
		known := x.s.facts[product]
		x.after = append(x.after, func() { t.board.fact(product, known) })
		return nil
	})
	if err != nil {
		t.book.counts.refused.Add(1)
		return Fact{}, err
	}
	return f, nil
}

// parseFact reads what is said of a product.
func parseFact(product string, body []byte) (object, error) {
	if !validProduct(product) {
		return nil, refuse(Invalid, "the product %s is no product's id: it has 1 to %d characters", quote(product), maxProductLen)
	}
	if len(body) > MaxFactBytes {
		return nil, refuse(TooLarge, "%d bytes about one product: at most %d are possible", len(body), MaxFactBytes)
	}
	v, err := readJSON(body)
	if err != nil {
		return nil, err
	}
	o, ok := v.(object)
	if !ok || len(o) == 0 {
		return nil, refuse(Invalid, `this is %s: send an object such as {"stock": 3, "prices": {"USD": {"amount": 3999}}}`, describe(v))
	}
	c := checker{}
	for _, m := range o {
		switch {
		case m.name != "stock" && m.name != "prices":
			c.fail("%s is no fact: there are stock and prices; all else is a revision of the cue", quote(m.name))
		case m.value == nil:
		case m.name == "stock":
			c.stock("stock", m.value)
		default:
			c.prices("prices", m.value)
		}
	}
	return o, c.err
}

// Set changes the settings: {"delay": "1.5s"}, or null for what the configuration says.
func (t *Timeline) Set(ctx context.Context, body []byte, key string) (Settings, error) {
	d, err := parseSettings(body)
	if err != nil {
		t.book.counts.refused.Add(1)
		return Settings{}, err
	}
	var set Settings
	err = t.write("set", string(body), key, func(x *tx, _ usedKey) { set = x.settings() },
		func(x *tx) (string, int, error) {
			x.emit(&record{Type: recDelay, Delay: d})
			set = x.settings()
			return "", 0, nil
		})
	return set, err
}

func parseSettings(body []byte) (*time.Duration, error) {
	const form = `send {"delay": "1.5s"}, or {"delay": null} for what the configuration says`
	v, err := readCue(body)
	if err != nil {
		return nil, err
	}
	delay, ok := v.get("delay")
	if !ok || len(v) != 1 {
		return nil, refuse(Invalid, "there is one setting, the delay: "+form)
	}
	if delay == nil {
		return nil, nil
	}
	text, _ := delay.(string)
	d, err := time.ParseDuration(text)
	if err != nil || d.Abs() > maxDelay {
		return nil, refuse(Invalid, "delay is %s, and must be a number with its unit, at most %v: "+form, describe(delay), maxDelay)
	}
	return &d, nil
}
