package cue

import "strings"

// localize returns a content document for one locale: its texts are plain, and "locale" says which was asked
// for. Texts fall back each for itself, since shops translate titles before descriptions.
func localize(doc []byte, locale string) ([]byte, error) {
	v, err := readJSON(doc)
	if err != nil {
		return nil, err
	}
	o, _ := v.(object)
	for i, m := range o {
		switch {
		case m.name == "text":
			o[i].value = pick(m.value, locale)
		case m.name == "products":
			products, _ := m.value.(list)
			for _, p := range products {
				product, _ := p.(object)
				for j, f := range product {
					if f.name == "title" || f.name == "description" {
						product[j].value = pick(f.value, locale)
					}
				}
			}
		}
	}
	return appendJSON(nil, append(o, member{"locale", locale})), nil
}

// pick returns the text for a locale: of exactly that tag, of ever less of it down to the language, of any
// other tag of that language, "en", "und", the first.
func pick(v any, locale string) any {
	texts, ok := v.(object)
	if !ok || len(texts) == 0 {
		return v
	}
	find := func(fits func(tag string) bool) any {
		for _, m := range texts {
			if fits(strings.ToLower(m.name)) {
				return m.value
			}
		}
		return nil
	}
	tag := strings.ToLower(locale)
	for t := tag; ; {
		if found := find(func(have string) bool { return have == t }); found != nil {
			return found
		}
		cut := strings.LastIndexByte(t, '-')
		if cut < 0 {
			break
		}
		t = t[:cut]
	}
	language, _, _ := strings.Cut(tag, "-")
	for _, fits := range []func(string) bool{
		func(have string) bool { return strings.HasPrefix(have, language+"-") },
		func(have string) bool { return have == "en" },
		func(have string) bool { return strings.HasPrefix(have, "en-") },
		func(have string) bool { return have == "und" },
	} {
		if found := find(fits); found != nil {
			return found
		}
	}
	return texts[0].value
}
