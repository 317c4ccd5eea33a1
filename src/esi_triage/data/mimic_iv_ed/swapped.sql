-- swapped: pairs of columns that look exchanged, judged over the whole table; one row a suspicion that holds.
--
-- What     A swapped header is found where more than half of at least 50 rows contradict it. Single rows are the business
--          of the other files. heartrate and dbp cannot be told apart so: both lie near 80.
-- Source   medians in MIMIC-IV-ED triage: temperature 98 °F, heartrate 84, resprate 18, o2sat 98 %, sbp 133, dbp 77.

WITH found AS (
    SELECT 'triage' AS name, 'sbp and dbp' AS pair, 'dbp is above sbp' AS finding,
        count(*) FILTER (sbp_typed IS NOT NULL AND dbp_typed IS NOT NULL) AS n,
        count(*) FILTER (dbp_typed > sbp_typed) AS hits
    FROM visits
    UNION ALL
    SELECT 'triage', 'heartrate and resprate', 'resprate is above heartrate',
        count(*) FILTER (heart_rate_typed IS NOT NULL AND resp_rate_typed IS NOT NULL),
        count(*) FILTER (resp_rate_typed > heart_rate_typed)
    FROM visits
    UNION ALL
    SELECT 'triage', 'heartrate and sbp', 'heartrate is above sbp',
        count(*) FILTER (heart_rate_typed IS NOT NULL AND sbp_typed IS NOT NULL),
        count(*) FILTER (heart_rate_typed > sbp_typed)
    FROM visits
    UNION ALL
    SELECT 'triage', 'temperature and o2sat', 'o2sat has decimals, as a temperature has',
        count(spo2_typed), count(*) FILTER (spo2_typed <> floor(spo2_typed) AND spo2_typed > 1)
    FROM visits
    UNION ALL
    SELECT 'triage', 'o2sat and another vital sign', 'o2sat is not between 85 and 100 %',
        count(spo2_typed), count(*) FILTER (spo2_typed NOT BETWEEN 85 AND 100)
    FROM visits
    UNION ALL
    SELECT 'triage', 'temperature and another vital sign', 'temperature is neither a Fahrenheit nor a Celsius value',
        count(temperature_typed), count(*) FILTER (temperature_typed IS NOT NULL AND temperature_c IS NULL)
    FROM visits
    UNION ALL
    SELECT 'triage', 'acuity and pain', 'acuity is not a level from 1 to 5',
        count(nullif(trim(acuity), '')),
        count(*) FILTER (trim(acuity) <> '' AND NOT coalesce(numeral(acuity) IN (1, 2, 3, 4, 5), false))
    FROM triage
    UNION ALL
    SELECT 'triage', 'subject_id and stay_id', 'the stay_id does not occur in edstays',
        count(*), count(*) FILTER (is_stay_unknown)
    FROM visits
    UNION ALL
    SELECT 'edstays', 'gender and another column', 'gender is neither F nor M',
        count(nullif(gender, '')), count(*) FILTER (gender <> '' AND sex IS NULL)
    FROM stays
)

SELECT name, pair, finding, n, hits FROM found WHERE n >= 50 AND hits * 2 > n ORDER BY hits / n DESC, pair LIMIT 1
