package demo

import (
	"encoding/json"
	"fmt"
	"time"
)

// each is how long a product is shown: the clip (makeclip/scene.js) changes at these very pictures.
const each = 3 * time.Second

// texts are by locale, prices by currency.
type texts map[string]string

type price struct {
	Amount int `json:"amount"` // minor units
	List   int `json:"list,omitempty"`
}

type product struct {
	ID     string           `json:"id"`
	URL    string           `json:"url"`
	Image  string           `json:"image"`
	Title  texts            `json:"title"`
	About  texts            `json:"description"`
	Prices map[string]price `json:"prices"`
	Stock  int              `json:"stock"`
}

// Where the pictures are (web.DemoPrefix), and where the links go: the stall has no shop.
const (
	pictures = "/assets/demo/%s.webp"
	shop     = "https://market.example/%s"
)

// products are what the clip shows, in its order.
var products = []product{
	{
		ID:     "moka-pot",
		Title:  texts{"en": "Moka pot", "de": "Mokkakanne", "es": "Cafetera italiana", "fr": "Cafetière italienne", "pt": "Cafeteira italiana", "ar": "إبريق موكا", "ja": "マキネッタ"},
		About:  texts{"en": "Three cups, stove top", "de": "Drei Tassen, für den Herd", "es": "Tres tazas, para la cocina", "fr": "Trois tasses, pour la cuisinière", "pt": "Três xícaras, para o fogão", "ar": "ثلاثة فناجين، على الموقد", "ja": "3カップ、直火用"},
		Prices: prices(2400, 0), Stock: 40,
	},
	{
		ID:     "mug",
		Title:  texts{"en": "Speckled mug", "de": "Gesprenkelter Becher", "es": "Taza moteada", "fr": "Tasse mouchetée", "pt": "Caneca salpicada", "ar": "كوب مرقّط", "ja": "斑点マグカップ"},
		About:  texts{"en": "Stoneware, made by hand", "de": "Steinzeug, von Hand gemacht", "es": "Gres, hecha a mano", "fr": "Grès, fait main", "pt": "Grés, feita à mão", "ar": "خزف مصنوع يدويًا", "ja": "手作りのストーンウェア"},
		Prices: prices(1600, 2200), Stock: 5,
	},
	{
		ID:     "tote",
		Title:  texts{"en": "Linen tote", "de": "Leinentasche", "es": "Bolsa de lino", "fr": "Sac en lin", "pt": "Sacola de linho", "ar": "حقيبة كتان", "ja": "リネントート"},
		About:  texts{"en": "Carries a whole market", "de": "Trägt einen ganzen Markt", "es": "Lleva todo el mercado", "fr": "Porte tout un marché", "pt": "Carrega a feira inteira", "ar": "تتّسع لسوق كاملة", "ja": "市場まるごと入ります"},
		Prices: prices(1900, 0), Stock: 120,
	},
	{
		ID:     "lamp",
		Title:  texts{"en": "Desk lamp", "de": "Schreibtischlampe", "es": "Lámpara de escritorio", "fr": "Lampe de bureau", "pt": "Luminária de mesa", "ar": "مصباح مكتب", "ja": "デスクランプ"},
		About:  texts{"en": "Warm light, long arm", "de": "Warmes Licht, langer Arm", "es": "Luz cálida, brazo largo", "fr": "Lumière chaude, bras long", "pt": "Luz quente, braço longo", "ar": "ضوء دافئ وذراع طويلة", "ja": "暖かな光、長いアーム"},
		Prices: prices(5900, 7900), Stock: 17,
	},
	{
		ID:     "plant",
		Title:  texts{"en": "Little rubber plant", "de": "Kleiner Gummibaum", "es": "Pequeño ficus", "fr": "Petit caoutchouc", "pt": "Pequena figueira-da-borracha", "ar": "نبتة مطاط صغيرة", "ja": "小さなゴムの木"},
		About:  texts{"en": "Forgives everything", "de": "Verzeiht alles", "es": "Lo perdona todo", "fr": "Pardonne tout", "pt": "Perdoa tudo", "ar": "تسامح على كل شيء", "ja": "なんでも許してくれます"},
		Prices: prices(1400, 0), Stock: 3,
	},
	{
		ID:     "headphones",
		Title:  texts{"en": "Headphones", "de": "Kopfhörer", "es": "Auriculares", "fr": "Casque audio", "pt": "Fones de ouvido", "ar": "سماعات رأس", "ja": "ヘッドホン"},
		About:  texts{"en": "Forty hours of music", "de": "Vierzig Stunden Musik", "es": "Cuarenta horas de música", "fr": "Quarante heures de musique", "pt": "Quarenta horas de música", "ar": "أربعون ساعة من الموسيقى", "ja": "40時間の音楽"},
		Prices: prices(8900, 12900), Stock: 60,
	},
	{
		ID:     "candle",
		Title:  texts{"en": "Beeswax candle", "de": "Bienenwachskerze", "es": "Vela de cera de abeja", "fr": "Bougie en cire d’abeille", "pt": "Vela de cera de abelha", "ar": "شمعة من شمع العسل", "ja": "蜜蝋キャンドル"},
		About:  texts{"en": "Burns for two evenings", "de": "Brennt zwei Abende lang", "es": "Arde dos noches", "fr": "Brûle deux soirées", "pt": "Queima por duas noites", "ar": "تضيء أمسيتين", "ja": "ふた晩灯ります"},
		Prices: prices(1100, 0), Stock: 0,
	},
	{
		ID:     "clock",
		Title:  texts{"en": "Station clock", "de": "Bahnhofsuhr", "es": "Reloj de estación", "fr": "Horloge de gare", "pt": "Relógio de estação", "ar": "ساعة محطة", "ja": "駅の時計"},
		About:  texts{"en": "Always on time", "de": "Immer pünktlich", "es": "Siempre puntual", "fr": "Toujours à l’heure", "pt": "Sempre na hora", "ar": "دقيقة دائمًا", "ja": "いつも時間どおり"},
		Prices: prices(4500, 0), Stock: 25,
	},
}

// prices makes prices in the currencies of those who visit the stall, from one in euro cents; list is what it
// cost before, 0 if no other.
func prices(amount, list int) map[string]price {
	all := make(map[string]price)
	for currency, rate := range map[string]float64{"EUR": 1, "USD": 1.15, "GBP": 0.86, "BRL": 6.2, "JPY": 1.7, "AED": 4.2} {
		in := func(cents int) int {
			whole := int(float64(cents)*rate/100 + 0.5)
			if currency == "JPY" { // has no smaller unit
				return (int(float64(cents)*rate+50) / 100) * 100
			}
			return whole * 100
		}
		all[currency] = price{in(amount), in(list)}
	}
	return all
}

// cueAt returns the cue, as JSON, of the product that is new in the picture that is due at a time from the
// show's beginning; false if none is.
func cueAt(at time.Duration) ([]byte, bool) {
	if at%each != 0 {
		return nil, false
	}
	p := products[int(at/each)%len(products)]
	p.Image, p.URL = fmt.Sprintf(pictures, p.ID), fmt.Sprintf(shop, p.ID)
	text, err := json.Marshal(map[string]any{"kind": "product", "slot": "main", "products": []product{p}})
	if err != nil {
		panic(err) // texts and numbers
	}
	return text, true
}
