// What a viewer's locale tells of the money they pay with, and the words on the cards in some languages.

const euro = ['AT', 'BE', 'CY', 'DE', 'EE', 'ES', 'FI', 'FR', 'GR', 'HR', 'IE', 'IT', 'LT', 'LU', 'LV', 'MT', 'NL', 'PT', 'SI', 'SK'];
const currencies = {
  AE: 'AED', AU: 'AUD', BR: 'BRL', CA: 'CAD', CH: 'CHF', CN: 'CNY', CZ: 'CZK', DK: 'DKK', GB: 'GBP', HU: 'HUF', ID: 'IDR', IL: 'ILS',
  IN: 'INR', JP: 'JPY', KR: 'KRW', MX: 'MXN', NO: 'NOK', NZ: 'NZD', PL: 'PLN', RO: 'RON', SA: 'SAR', SE: 'SEK', SG: 'SGD', TH: 'THB',
  TR: 'TRY', TW: 'TWD', UA: 'UAH', US: 'USD', VN: 'VND', ZA: 'ZAR',
};

// marketOf returns the country of a locale, the most likely one if it names none; '' for nonsense.
export function marketOf(locale) {
  try {
    return new Intl.Locale(locale).maximize().region ?? '';
  } catch {
    return '';
  }
}

// currencyOf returns the currency of a country, undefined if it is not known.
export const currencyOf = (market) => (euro.includes(market) ? 'EUR' : currencies[market]);

const labels = {
  ar: { view: 'عرض', soldOut: 'نفد', left: (n) => `بقي ${n} فقط`, was: 'بدلاً من' },
  de: { view: 'Ansehen', soldOut: 'Ausverkauft', left: (n) => `Nur noch ${n}`, was: 'statt' },
  es: { view: 'Ver', soldOut: 'Agotado', left: (n) => `Solo quedan ${n}`, was: 'antes' },
  fr: { view: 'Voir', soldOut: 'Épuisé', left: (n) => `Plus que ${n}`, was: 'au lieu de' },
  ja: { view: '見る', soldOut: '売り切れ', left: (n) => `残り${n}点`, was: '通常価格' },
  pt: { view: 'Ver', soldOut: 'Esgotado', left: (n) => `Só ${n} restantes`, was: 'em vez de' },
};

// labelsFor returns the words on the cards for a locale; undefined for English.
export const labelsFor = (locale) => labels[locale.toLowerCase().split('-')[0]];
