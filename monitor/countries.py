"""Names of countries and other buyers as arms-sale notices write them → as people say them.

United Nations member states by their usual English names (UN Protocol list, short forms), without
the United States, which sell; Kosovo, Taiwan, the Holy See; and the buyers that the notices of the
US Defense Security Cooperation Agency, the Federal Register and the press name otherwise.
"""

from __future__ import annotations

_USUAL = """
Afghanistan, Albania, Algeria, Andorra, Angola, Antigua and Barbuda, Argentina, Armenia, Australia,
Austria, Azerbaijan, Bahamas, Bahrain, Bangladesh, Barbados, Belarus, Belgium, Belize, Benin,
Bhutan, Bolivia, Bosnia and Herzegovina, Botswana, Brazil, Brunei, Bulgaria, Burkina Faso, Burundi,
Cambodia, Cameroon, Canada, Cape Verde, Central African Republic, Chad, Chile, China, Colombia,
Comoros, Costa Rica, Croatia, Cuba, Cyprus, Czechia, Democratic Republic of the Congo, Denmark,
Djibouti, Dominica, Dominican Republic, Ecuador, Egypt, El Salvador, Equatorial Guinea, Eritrea,
Estonia, Eswatini, Ethiopia, Fiji, Finland, France, Gabon, Gambia, Georgia, Germany, Ghana, Greece,
Grenada, Guatemala, Guinea, Guinea-Bissau, Guyana, Haiti, Holy See, Honduras, Hungary, Iceland,
India, Indonesia, Iran, Iraq, Ireland, Israel, Italy, Ivory Coast, Jamaica, Japan, Jordan,
Kazakhstan, Kenya, Kiribati, Kosovo, Kuwait, Kyrgyzstan, Laos, Latvia, Lebanon, Lesotho, Liberia,
Libya, Liechtenstein, Lithuania, Luxembourg, Madagascar, Malawi, Malaysia, Maldives, Mali, Malta,
Marshall Islands, Mauritania, Mauritius, Mexico, Micronesia, Moldova, Monaco, Mongolia, Montenegro,
Morocco, Mozambique, Myanmar, Namibia, Nauru, Nepal, Netherlands, New Zealand, Nicaragua, Niger,
Nigeria, North Korea, North Macedonia, Norway, Oman, Pakistan, Palau, Panama, Papua New Guinea,
Paraguay, Peru, Philippines, Poland, Portugal, Qatar, Republic of the Congo, Romania, Russia,
Rwanda, Saint Kitts and Nevis, Saint Lucia, Saint Vincent and the Grenadines, Samoa, San Marino, Sao
Tome and Principe, Saudi Arabia, Senegal, Serbia, Seychelles, Sierra Leone, Singapore, Slovakia,
Slovenia, Solomon Islands, Somalia, South Africa, South Korea, South Sudan, Spain, Sri Lanka, Sudan,
Suriname, Sweden, Switzerland, Syria, Taiwan, Tajikistan, Tanzania, Thailand, Timor-Leste, Togo,
Tonga, Trinidad and Tobago, Tunisia, Turkmenistan, Tuvalu, Türkiye, Uganda, Ukraine, United Arab
Emirates, United Kingdom, Uruguay, Uzbekistan, Vanuatu, Venezuela, Vietnam, Yemen, Zambia, Zimbabwe
"""
_OTHERWISE = {
    "Republic of Korea": "South Korea",
    "Korea": "South Korea",
    "ROK": "South Korea",
    "Republic of China": "Taiwan",
    "Taipei Economic and Cultural Representative Office": "Taiwan",
    "TECRO": "Taiwan",
    "Czech Republic": "Czechia",
    "Turkey": "Türkiye",
    "Turkiye": "Türkiye",
    "Slovak Republic": "Slovakia",
    "Kyrgyz Republic": "Kyrgyzstan",
    "Hellenic Republic": "Greece",
    "Argentine Republic": "Argentina",
    "Viet Nam": "Vietnam",
    "Brunei Darussalam": "Brunei",
    "Burma": "Myanmar",
    "Cabo Verde": "Cape Verde",
    "Great Britain": "United Kingdom",
    "UK": "United Kingdom",
    "UAE": "United Arab Emirates",
    "Bosnia-Herzegovina": "Bosnia and Herzegovina",
    "Cote d'Ivoire": "Ivory Coast",
    "Côte d'Ivoire": "Ivory Coast",
    "Côte d’Ivoire": "Ivory Coast",
    "North Atlantic Treaty Organization": "NATO",
    "NATO": "NATO",
    "NATO Support and Procurement Agency": "NSPA",
    "NSPA": "NSPA",
    "NATO Support and Procurement Organization": "NSPO",
    "NATO Communications and Information Agency": "NCIA",
}

COUNTRIES: dict[str, str] = {
    **{name: name for name in " ".join(_USUAL.split()).split(", ")},
    **_OTHERWISE,
}
